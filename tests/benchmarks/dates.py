"""How fast a column of dates is read, beside pandas and NumPy: ``python -m tests.benchmarks.dates``.

Each figure is the processor's time in the best of five rounds, all in one process, on one thread. Each library has the
texts as it holds them: an array of bytes, a Series, a list; and each is told the format.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import pandas as pd
from rich.console import Console

from sageline.arrays.calendar import DateParts, date_parts
from sageline.arrays.dates import DateFormat, parse_dates
from sageline.arrays.strings import StringArray

ROWS = 300_000
FORMS = {  # the format of datetime and of pandas, and ours
    "%Y-%m-%d": "ymd",
    "%Y-%m-%d %H:%M:%S": "ymd",
    "%d.%m.%Y": "dmy",
    "%m/%d/%Y": "mdy",
    "%d-%b-%y": "ymd",
    "%m/%d/%Y %I:%M %p": "mdy",
}


def best(call: Callable[[], object], times: int = ROWS) -> float:
    """Nanoseconds for each of so many values."""
    taken = []
    for _ in range(5):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return min(taken) * 1e9 / times


def one_row(column: StringArray, date_format: DateFormat) -> DateParts:
    return date_parts(parse_dates(column, date_format))


def main() -> None:
    console = Console(width=150)
    begin = datetime(1990, 1, 1, tzinfo=UTC)
    moments = [begin + timedelta(seconds=second) for second in np.random.default_rng(0).integers(0, 10**9, ROWS).tolist()]
    for form, order in FORMS.items():
        texts = [moment.strftime(form) for moment in moments]
        column = StringArray.from_list(texts)
        ours = best(partial(parse_dates, column, DateFormat(order)))
        peers = {
            f"pandas, {kind}": best(partial(pd.to_datetime, pd.Series(texts, dtype=kind), format=form, cache=False))
            for kind in ("str", "object")
        }
        if form.startswith("%Y"):
            peers["NumPy"] = best(partial(np.array, texts, dtype="datetime64[s]"))
        beside = ", ".join(f"{peer} {taken:.0f} ns ({taken / ours:.1f}x)" for peer, taken in peers.items())
        some = column.take(np.arange(1))
        one = best(lambda some=some, order=order: [one_row(some, DateFormat(order)) for _ in range(1000)], 10**6)  # type: ignore[misc]  # defaults
        console.print(f"{form}: {ours:.1f} ns a value; {beside}; one row and its parts {one:.0f} microseconds", highlight=False)
    seconds = parse_dates(column, DateFormat(order))
    ours, accessor = best(partial(date_parts, seconds)), pd.to_datetime(pd.Series(seconds), unit="s").dt
    theirs = best(lambda: [getattr(accessor, part) for part in ("year", "month", "day", "day_of_week", "hour")])
    console.print(f"parts: {ours:.1f} ns a value; pandas {theirs:.0f} ns ({theirs / ours:.1f}x)", highlight=False)


if __name__ == "__main__":
    main()
