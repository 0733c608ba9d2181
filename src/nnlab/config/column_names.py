"""Names of columns as keys of a config, for which Hydra's grammar has few letters."""

import re

from omegaconf import DictConfig, OmegaConf, open_dict


def spell(name: str) -> str:
    """A name in letters that a key may have; others by their number.

    >>> spell("1stFlrSF"), spell("birth day")
    ('$31$stFlrSF', 'birth$20$day')
    """
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", name):
        return name
    return re.sub(r"^[0-9-]|[^A-Za-z0-9_-]", lambda found: f"${ord(found[0]):x}$", name)


def restore(text: str) -> str:
    """A text with the names in it that `spell` has spelled.

    >>> restore("data.columns.$31$stFlrSF")
    'data.columns.1stFlrSF'
    """
    return re.sub(r"\$([0-9a-f]+)\$", lambda found: chr(int(found[1], 16)), text)


def restore_keys(cfg: DictConfig) -> None:
    """Give the columns of a composed config the names that were typed."""
    columns = OmegaConf.select(cfg, "data.columns")
    if isinstance(columns, DictConfig):
        with open_dict(columns):
            for key in [key for key in columns if restore(str(key)) != str(key)]:
                columns[restore(str(key))] = columns.pop(key)
