"""Some training rows that a checkpoint knows again, wherever the file of them has gone."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from torch import Tensor

from nnlab.data.columns.plain_data import is_of
from nnlab.data.columns.sampling import spread_sample
from nnlab.data.copies import comparable_text, is_plain

# So many training rows are known again, among so many rows of a file, or cells if it is wide.
_KNOWN, _LOOKED_AT, _CELLS = 1000, 100_000, 2_000_000
# So many training rows tell how often two are alike that are none.
_COMPARED = 20_000
# So few shared rows are not worth a word.
_FEW = 2


def remember_rows(frame: pl.DataFrame, train: Tensor, names: Sequence[str]) -> dict[str, Any]:
    """Digests of training rows, and the share of pairs of them that are alike, as plain data.

    Args:
        frame: The table.
        train: Its training rows, `(rows,)`.
        names: The columns by which rows are the same.
    """
    digests = _digests(frame, names, train.numpy()[spread_sample(len(train), _KNOWN)])
    compared = train.numpy()[spread_sample(len(train), _COMPARED)]
    # A list: of an iterator polars takes no more than 1000 columns.
    cells = pl.DataFrame([frame.get_column(name).gather(compared) for name in names])
    rows = cells.hash_rows().value_counts(name="rows")["rows"].cast(pl.Float64)
    pairs = max(1, len(compared) * (len(compared) - 1))
    return {
        "columns": list(names),
        "digests": sorted(set(digests)),
        "alike": float((rows * (rows - 1)).sum()) / pairs,
    }


def warn_of_known_rows(frame: pl.DataFrame, preprocessing: Mapping[str, Any]) -> list[str]:
    """A sentence if more rows of a file are some that a network has learned from than by chance.

    Args:
        frame: Its rows.
        preprocessing: Of a checkpoint; one of the first version remembers no rows.
    """
    known = preprocessing.get("known_rows", {})
    names, digests, alike = (known.get(key, []) for key in ("columns", "digests", "alike"))
    if not (
        names and is_of(names, list[str]) and is_of(digests, list[str]) and is_of(alike, float)
    ):
        return []
    if not set(names) <= {values.name for values in frame if is_plain(values)}:
        return []
    rows = spread_sample(len(frame), min(_LOOKED_AT, _CELLS // len(names)))
    found = set(digests).intersection(_digests(frame, names, rows))
    by_chance = len(digests) * len(rows) * alike
    if len(found) <= by_chance + 5 * math.sqrt(by_chance) + _FEW:
        return []
    is_part = "at least " if len(rows) < len(frame) else ""
    return [
        f"{is_part}{len(found):,} of {len(digests):,} training rows that the checkpoint remembers "
        "are among these, which flatters the metrics; take training rows out of the file, unless "
        "they are cases of their own"
    ]


def _digests(frame: pl.DataFrame, names: Sequence[str], rows: Any) -> list[str]:
    """A digest of each of some rows; not polars' own hash, which may differ between versions."""
    cells = pl.DataFrame(
        [comparable_text(frame.get_column(name).gather(rows)).fill_null("\0") for name in names]
    )
    # What separates cells is in none of them.
    texts = cells.select(pl.concat_str(pl.all(), separator="\0\0")).to_series()
    return [hashlib.blake2b(text.encode(), digest_size=8).hexdigest() for text in texts]
