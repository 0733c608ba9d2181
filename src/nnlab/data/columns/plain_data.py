"""Learned columns as plain data for the checkpoint, and from there, which may be anybody's."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from nnlab.data.columns.learned import CategoricalColumn, Column, NumericColumn
from nnlab.data.names import plain_name

_KINDS: dict[str, type[Column]] = {"numeric": NumericColumn, "categorical": CategoricalColumn}


def to_plain(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Columns as plain data."""
    kinds = {cls: kind for kind, cls in _KINDS.items()}
    return [{"kind": kinds[type(column)], **asdict(column)} for column in columns]


def from_plain(plain: Sequence[Mapping[str, Any]]) -> list[Column]:
    """Columns from what `to_plain` made.

    Raises:
        LookupError: One is of no kind that there is.
        TypeError: One holds what no such column does.
    """
    return [_from_plain(**entry) for entry in plain]


def _from_plain(*, kind: str, **entry: Any) -> Column:
    cls = _KINDS[kind]
    # The first version kept what is unseen around a name.
    column = cls(**entry | {"name": plain_name(entry["name"])})
    for field, hint in get_type_hints(cls).items():
        if not is_of(getattr(column, field), hint):
            raise TypeError(f"{field} of column '{column.name}' is not {hint}")
    if isinstance(column, CategoricalColumn) and not all(
        0 <= code < column.size for code in column.trained_codes
    ):
        raise TypeError(f"column '{column.name}' has no such codes")
    return column


def is_of(value: object, hint: Any) -> bool:
    """Whether a value is of a type such as `float | None` or `list[str]`; a bool is no number.

    >>> is_of(None, float | None), is_of(["a", 1], list[str]), is_of(1, float), is_of(True, float)
    (True, False, True, False)
    """
    if isinstance(hint, UnionType):
        return any(is_of(value, one) for one in get_args(hint))
    if get_origin(hint) is list:
        (item,) = get_args(hint)
        return isinstance(value, list) and all(is_of(entry, item) for entry in value)
    return type(value) in ((int, float) if hint is float else (hint,))
