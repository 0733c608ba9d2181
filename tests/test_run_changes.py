"""What of a run may be other than it was, and what is refused."""

import pytest
from omegaconf import OmegaConf

from nnlab.run_changes import change_config


@pytest.mark.parametrize("place", ["hydra", "threads", "data"])
def test_a_bomb_of_interpolations_is_refused_wherever_it_is(place: str) -> None:
    bomb = "".join(f"a{i + 1}: {f'${{a{i}}}' * 10}\n" for i in range(12))
    value = "{path: '${a12}'}" if place == "data" else "${a12}"
    cfg = OmegaConf.create(f"a0: x\n{bomb}{place}: {value}\n")
    with pytest.raises(ValueError, match="must have at most 2000 interpolations"):
        change_config(cfg, [], allowed=[], argument="run")


@pytest.mark.parametrize(
    ("data", "word", "takes"),
    [
        ("root", "data.path=a.csv", "images, so only threads, data.root may be given, got data.pa"),
        ("path", "data.root=there", "a table, so only threads, data.path may be given, got data.r"),
    ],
)
def test_data_of_another_kind_is_refused_with_what_is_taken(
    data: str, word: str, takes: str
) -> None:
    cfg = OmegaConf.create(f"threads: 1\ndata: {{{data}: here}}\n")
    allowed = ("threads", "data.path", "data.val_path", "data.root")
    with pytest.raises(ValueError, match=f"run=RUN_DIR is a run on {takes}") as caught:
        change_config(cfg, [word], allowed=allowed, argument="run")
    named = {"root": "data.root=FOLDER", "path": "data.path=FILE"}[data]
    assert str(caught.value).endswith(f" named by {named}")
    change_config(cfg, [named], allowed=allowed, argument="run")
