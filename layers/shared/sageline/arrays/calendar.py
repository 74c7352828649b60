"""Days, months and years of the Gregorian calendar for whole arrays, from the year 1 to 9999."""

from __future__ import annotations

import functools
import math
from datetime import date
from typing import NamedTuple

import numpy as np

from sageline.arrays.matrix import AnyArray, DoubleArray, FloatArray

DAY = 86_400  # seconds
FIRST_SECOND, END_SECOND = -719_162 * DAY, 2_932_897 * DAY
"""The first second of the year 1, and the one after the last of the year 9999, since 1970."""

EPOCH_ORDINAL = 719_163
"""Of 1970-01-01, as ``datetime.date`` counts."""
_MONTH_DAYS = 30.436875  # of a month, on average
_EARLY = 3.5  # days; no month begins further than 2.4 days from where it would if all were as long
_FEW = 4  # rows that are faster one by one


class DateParts(NamedTuple):
    """What a model learns of a date: each ``float32[n]``, NaN where the date is missing; all of them in UTC.

    Attributes:
        days: whole days since 1970-01-01, negative before.
        year: such as 2021.
        month: 1 to 12.
        day: of the month, 1 to 31.
        weekday: 0 on Monday to 6 on Sunday.
        hour: 0 to 23.
        day_of_year: 1 to 366.
    """

    days: FloatArray
    year: FloatArray
    month: FloatArray
    day: FloatArray
    weekday: FloatArray
    hour: FloatArray
    day_of_year: FloatArray


def days_of(year: int, month: int, day: int) -> int | None:
    """Days from 1970-01-01 to that one; None when there is no such day, or its year is not from 1 to 9999."""
    try:
        return date(year, month, day).toordinal() - EPOCH_ORDINAL
    except ValueError:
        return None


@functools.cache
def months() -> AnyArray:
    """For each month from January of the year 0 on, ``int32[120001]``: days from 1970 to its first, times 32, plus how many it
    has; none in the year 0."""
    starts = np.arange(-1970 * 12, (10_000 - 1970) * 12 + 2).astype("datetime64[M]").astype("datetime64[D]").astype(np.int32)
    lengths = np.diff(starts)
    lengths[:12] = 0
    packed: AnyArray = starts[:-1] * 32 + lengths
    return packed


def date_parts(seconds: DoubleArray) -> DateParts:
    """The parts of dates, from their seconds since 1970 in UTC, ``float64[n]``, of the years 1 to 9999 or NaN."""
    if len(seconds) <= _FEW:
        rows = [parts_of(second) for second in seconds.tolist()]
        return DateParts(*np.array(rows, dtype=np.float32).reshape(-1, len(DateParts._fields)).T.copy())
    there = seconds == seconds  # noqa: PLR0124 - no NaN; numpy's isnan and its negation take twice as long
    is_whole = bool(there.all())
    known = np.floor(seconds if is_whole else np.where(there, seconds, 0.0))
    floored = np.floor(known * (1.0 / DAY))
    rest = known - floored * DAY
    if (wrong := (rest < 0) | (rest >= DAY)).any():  # by a rounding of the product
        floored[wrong] = np.floor(known[wrong] / DAY)
        rest = known - floored * DAY
    days = floored.astype(np.int32)
    month = ((floored + (719_528 - _EARLY)) * (1 / _MONTH_DAYS)).astype(np.int32)  # since the year 0; or the month before
    packed = months()
    month += (packed.take(month + 1) >> 5) <= days
    year = month // 12
    parts = (
        days,
        year,
        month - year * 12 + 1,
        days - (packed.take(month) >> 5) + 1,
        days + 3 - (days + 3) // 7 * 7,
        rest.astype(np.int32) // 3600,
        days - (packed.take(year * 12) >> 5) + 1,
    )
    columns = [part.astype(np.float32) for part in parts]
    if not is_whole:
        for column in columns:
            column[~there] = np.nan
    return DateParts(*columns)


def parts_of(seconds: float) -> tuple[float, ...]:
    """The numbers of :class:`DateParts` for one date, NaN where it is missing."""
    if math.isnan(seconds):
        return (math.nan,) * len(DateParts._fields)
    days, rest = divmod(math.floor(seconds), DAY)
    then = date.fromordinal(days + EPOCH_ORDINAL)
    return days, then.year, then.month, then.day, then.weekday(), rest // 3600, then.timetuple().tm_yday
