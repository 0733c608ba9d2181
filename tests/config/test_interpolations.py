"""Interpolations of interpolations, which a few lines can make without end."""

import pytest
from omegaconf import OmegaConf

from nnlab.config import check_config
from nnlab.config.interpolations import few_interpolations


def texts(first: str) -> dict:
    """Each ten times the one before: 10^12 of the first."""
    return {"a0": first} | {f"a{i + 1}": f"${{a{i}}}" * 10 for i in range(12)}


def nodes() -> dict:
    pairs = {f"a{i + 1}": {"p": f"${{a{i}}}", "q": f"${{a{i}}}"} for i in range(40)}
    return {"a0": {"x": 1}} | pairs


def decoded() -> dict:
    """Interpolations that are only there once others are resolved."""
    return {"b": r"${oc.decode:'\${a12}'}", **texts("")}


@pytest.mark.parametrize(
    "bomb",
    [
        texts("x" * 10),
        texts(""),
        nodes(),
        decoded(),
        {"long": "x" * 100_000, "a": "${long}" * 1_000},
        {"long": ["x"] * 2_000, "a": ["${long}"] * 1_000},
    ],
    ids=["texts", "of nothing", "nodes", "decoded", "long", "lists"],
)
def test_a_bomb_of_interpolations_is_refused_while_it_is_small(bomb: dict) -> None:
    """Else it would take hours, or all memory."""
    cfg = OmegaConf.create(bomb)
    with pytest.raises(ValueError, match="must have at most 2000 interpolations"):
        check_config(cfg)


def test_what_a_config_may_well_have_is_resolved() -> None:
    columns = {f"c{i}": "${kind}" for i in range(900)}
    cfg = OmegaConf.create({"kind": "numeric", "columns": columns, "drop": "${names}"})
    cfg.names = [f"column {i}" for i in range(2_000)]
    with few_interpolations():
        plain = OmegaConf.to_container(cfg, resolve=True)
    assert set(plain["columns"].values()) == {"numeric"}
    assert len(plain["drop"]) == 2_000


def test_another_error_stays_what_it_is() -> None:
    cfg = OmegaConf.create({"a": "${b}"})
    with pytest.raises(ValueError, match="Interpolation key 'b' not found"), few_interpolations():
        OmegaConf.to_container(cfg, resolve=True)
