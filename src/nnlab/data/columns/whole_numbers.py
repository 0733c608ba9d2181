"""What whole numbers may be beside numbers: days, codes, years, and identifiers by their name."""

import math
import re
from typing import cast

import polars as pl

from nnlab.data.columns.date_formats import COMPACT, EPOCHS
from nnlab.data.columns.dates import to_seconds
from nnlab.data.columns.odd_cells import OddCells, odd_cells

# The days that are taken for some, and how many different ones are no chance.
_FIRST_DAY, _LAST_DAY, _FEW_DAYS = 1900_01_01, 2100_12_31, 5
_ID_NAME = re.compile(
    r"(?i:(^|[_\W])(id|uuid|guid|key|index|idx|rownames?|row|no|nr|num|phone|tel|ssn|mrn)$|number$)"
    r"|[a-z](Id|ID|No|Nr|Num|Phone)$|[A-Z]NUM$"
)

_TIME_NAME = re.compile(
    r"(?i:(^|[_\W])(timestamp|datetime|date|epoch|unixtime)([_\W]|$)|([_\W]|^)(ts|at)$"
    r"|^(time|created|updated|modified)$)|[a-z](Date|Timestamp|TimeStamp|At)$"
)
_ANY_TIME_NAME = re.compile(r"(?i:(^|[_\W])time$)|[a-z]Time$")
# Seconds until 2035: what counts further, counts something else. No clock is asked, by which a run
# that goes on could learn from other columns.
_LAST_SECOND = 2_051_222_400


def find_days(whole: pl.Series) -> OddCells | None:
    """The cells that are no days such as 20240131, if most are; of other numbers one in 30 is.

    Args:
        whole: Numbers, null where missing, at least one of them there; also floats, as pandas has
            whole numbers once one is missing.

    Returns:
        None where most are no days.
    """
    if cast(float, whole.max()) < _FIRST_DAY:
        return None
    present = whole.drop_nulls()
    are_days = present.is_between(_FIRST_DAY, _LAST_DAY)
    if are_days.sum() * 2 <= len(present):
        return None
    are_days &= to_seconds(present, COMPACT).is_not_null()
    days = present.filter(are_days)
    if days.n_unique() < _FEW_DAYS or len(days) * 2 <= len(present):
        return None
    return odd_cells(present.filter(~are_days), "dates", f" as in {COMPACT}")


def are_codes(values: pl.Series, distinct: int, low: int, high: int) -> bool:
    """Whether few whole numbers look like names: equally long, and not evenly spaced.

    Area codes such as 408, 415 and 510 do; grades from 1 to 10, counts, years and doses do not.
    """
    if not (2 <= distinct <= 20 and distinct * 10 <= len(values)):
        return False
    if low < 100 or len(str(low)) != len(str(high)) or are_years(low, high):
        return False
    gaps = values.drop_nulls().unique().sort().diff().drop_nulls()
    # What people choose is round: doses are multiples of something, names are not.
    is_round = math.gcd(*gaps) >= 5
    return not is_round and gaps.n_unique() > 1 and high - low >= 2 * distinct


def are_moments(low: int, high: int) -> bool:
    """Whether whole numbers may be seconds since 1970: of the years 2000 to 2100, and several.

    >>> are_moments(1_700_000_000, 1_700_086_400), are_moments(1990, 2024)
    (True, False)
    """
    return 946_684_800 <= low < high <= 4_102_444_800


def find_epoch(numbers: pl.Series) -> str | None:
    """The format of `EPOCHS` by which numbers are moments of 2000 to 2034; None if they are none.

    Args:
        numbers: All of a column, null where missing; also with fractions.
    """
    low, high = (cast(float | None, end) for end in (numbers.min(), numbers.max()))
    if low is None or high is None or not math.isfinite(high - low):
        return None
    for pattern, unit in EPOCHS.items():
        if are_moments(int(low) // unit, int(high) // unit):
            is_late = high / unit > _LAST_SECOND
            return (
                None
                if is_late or _are_written_out(numbers.cast(pl.Int64, strict=False))
                else pattern
            )
    return None


def _are_written_out(whole: pl.Series) -> bool:
    """Whether whole numbers of ten digits are written as hours, 2024013123, or 2401312359."""
    pairs = [whole // 100**place % 100 for place in range(4)]
    are_days = {place: pairs[place].is_between(1, 31) for place in (1, 2)}
    are_months = {place: pairs[place].is_between(1, 12) for place in (2, 3)}
    hours = whole.is_between(1990 * 10**6, 2100 * 10**6) & are_months[2] & are_days[1]
    minutes = (whole < 10**10) & are_months[3] & are_days[2] & (pairs[1] < 24) & (pairs[0] < 60)
    return bool((hours & (pairs[0] < 24)).all() or minutes.all())


def is_time_name(name: str, pattern: str) -> bool:
    """Whether a column is called as moments are: `timestamp`, `created_at`, `ts`.

    Args:
        name: Its name.
        pattern: The format of `EPOCHS`; what is called `cpu_time` may be a few seconds in ns.
    """
    is_of_times = pattern != "%s" and _ANY_TIME_NAME.search(name)
    return bool(_TIME_NAME.search(name) or is_of_times)


def are_years(low: int, high: int) -> bool:
    """Whether numbers between these may be years."""
    return low >= 1500 and high <= 2200


def is_id_name(name: str) -> bool:
    """Whether a column is called as identifiers are: `id`, `order_no`, `CLIENTNUM`."""
    return bool(_ID_NAME.search(name))
