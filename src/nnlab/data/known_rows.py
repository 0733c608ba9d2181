"""Some training rows that a checkpoint knows again, wherever the file of them has gone."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from torch import Tensor

from nnlab.data.columns.plain_data import is_of
from nnlab.data.columns.sampling import spread_sample
from nnlab.data.copies import comparable_text, is_plain

# So many training rows are known again, among so many rows of a file.
_KNOWN, _LOOKED_AT = 1000, 100_000
# Where more of them are like another by chance, rows of any file would be.
_MOST_ALIKE = 0.01


def remember_rows(frame: pl.DataFrame, train: Tensor, names: Sequence[str]) -> dict[str, Any]:
    """Digests of training rows, as plain data; of no row if several are often the same.

    Args:
        frame: The table.
        train: Its training rows, `(rows,)`.
        names: The columns by which rows are the same.
    """
    sample = train.numpy()[spread_sample(len(train), _KNOWN)]
    digests = _digests(frame, names, sample)
    different = sorted(set(digests))
    are_various = len(digests) - len(different) <= _MOST_ALIKE * len(digests)
    return {"columns": list(names), "digests": different if are_various else []}


def warn_of_known_rows(frame: pl.DataFrame, preprocessing: Mapping[str, Any]) -> list[str]:
    """A sentence if rows of a file are some that a network has learned from.

    Args:
        frame: Its rows.
        preprocessing: Of a checkpoint; one of the first version remembers no rows.
    """
    known = preprocessing.get("known_rows", {})
    names, digests = known.get("columns", []), known.get("digests", [])
    if not (digests and is_of(names, list[str]) and is_of(digests, list[str])):
        return []
    if not set(names) <= {values.name for values in frame if is_plain(values)}:
        return []
    found = set(digests).intersection(_digests(frame, names, spread_sample(len(frame), _LOOKED_AT)))
    if not found:
        return []
    is_part = "at least " if len(frame) > _LOOKED_AT else ""
    are = "is" if len(found) == 1 else "are"
    return [
        f"{is_part}{len(found):,} of {len(digests):,} training rows that the checkpoint remembers "
        f"{are} among these, which flatters the metrics; take training rows out of the file, "
        "unless they are cases of their own"
    ]


def _digests(frame: pl.DataFrame, names: Sequence[str], rows: Any) -> list[str]:
    """A digest of each of some rows; not polars' own hash, which may differ between versions."""
    cells = pl.DataFrame(
        comparable_text(frame.get_column(name).gather(rows)).fill_null("\0") for name in names
    )
    # What separates cells is in none of them.
    texts = cells.select(pl.concat_str(pl.all(), separator="\0\0")).to_series()
    return [hashlib.blake2b(text.encode(), digest_size=8).hexdigest() for text in texts]
