"""Configs: what they may say, how they are put together, and the objects they describe."""

from nnlab.config.building import (
    build,
    named_class,
    plain_arguments,
    reads_environment,
    resolution_message,
    takes,
    target_class,
)
from nnlab.config.checking import check_config
from nnlab.config.folders import config_folder, new_folder, new_folders
from nnlab.config.resolvers import register_resolvers

__all__ = [
    "build",
    "check_config",
    "config_folder",
    "named_class",
    "new_folder",
    "new_folders",
    "plain_arguments",
    "reads_environment",
    "register_resolvers",
    "resolution_message",
    "takes",
    "target_class",
]
