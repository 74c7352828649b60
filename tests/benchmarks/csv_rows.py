"""CSV with the label first: writing tables of numbers."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import numpy as np

from sageline.arrays.matrix import AnyArray, FloatArray
from sageline.formats.csv import write_rows
from tests.benchmarks import inputs
from tests.benchmarks.peers import peer
from tests.benchmarks.results import SAGELINE, Goal, Result
from tests.benchmarks.rounds import speeds_by_round
from tests.benchmarks.sizes import Sizes

PANDAS, POLARS, PYARROW, SAVETXT = "pandas", "polars", "pyarrow", "np.savetxt"
_CORPUS_MEGABYTES = 10


def run(sizes: Sizes) -> Iterator[Result]:
    corpus = inputs.corpus(min(sizes.text_megabytes, _CORPUS_MEGABYTES))
    counts, rows = inputs.dense_counts(corpus, sizes.count_rows), sizes.count_rows
    yield Result(
        job="dense_csv_counts",
        title=f"write CSV of word counts ({rows:,} rows of {inputs.WORDS} columns, label first)",
        unit="rows/s",
        # As integers for the peers, which take longer for floating-point numbers and write more.
        samples=speeds_by_round(_writing(counts, np.int32, "%d"), sizes.rounds, rows),
        goals=[Goal(than=PANDAS, speed=10)],
        bound="some whole-array passes over every character written",
        note="Small integers, mostly 0: float32 for Sageline, int32 for the peers, which is faster for them.",
    )
    floats, rows = inputs.dense_floats(sizes.float_rows), sizes.float_rows
    yield Result(
        job="dense_csv_floats",
        title=f"write CSV of any float32 ({rows:,} rows of {inputs.WORDS} columns, label first)",
        unit="rows/s",
        samples=speeds_by_round(_writing(floats, np.float32, "%.9g"), sizes.rounds, rows),
        goals=[Goal(than=PANDAS, speed=10)],
        bound="finding the fewest decimals that read back as the same float32: a whole-array try for each number of decimals, "
        "where compiled code needs one pass over a number",
        note="Normally distributed numbers. All but `np.savetxt` write the fewest digits that read back as the same float32, "
        "`np.savetxt` nine. polars and pyarrow are compiled code that writes column-wise tables.",
    )


def _writing(matrix: FloatArray, dtype: type[np.number], savetxt_format: str) -> dict[str, Callable[[], object]]:
    labels = inputs.labels_of(len(matrix))
    table: AnyArray = np.column_stack([labels, matrix]).astype(dtype)
    contestants: dict[str, Callable[[], object]] = {
        SAGELINE: lambda: write_rows(matrix, labels),
        SAVETXT: lambda: np.savetxt(io.StringIO(), table, fmt=savetxt_format, delimiter=","),
    }
    if (pandas := peer("pandas")) is not None:
        frame = pandas.DataFrame(table)
        contestants[PANDAS] = lambda: frame.to_csv(io.StringIO(), header=False, index=False)
    names = [str(number) for number in range(table.shape[1])]
    columns = {name: np.ascontiguousarray(column) for name, column in zip(names, table.T, strict=True)}
    if (polars := peer("polars")) is not None:
        polars_frame = polars.DataFrame(columns)
        contestants[POLARS] = lambda: polars_frame.write_csv(io.BytesIO(), include_header=False)
    if (arrow := peer("pyarrow")) is not None and (arrow_csv := peer("pyarrow.csv")) is not None:
        arrow.set_cpu_count(1)
        arrow_table = arrow.table(columns)
        without_header = arrow_csv.WriteOptions(include_header=False)
        contestants[PYARROW] = lambda: arrow_csv.write_csv(arrow_table, io.BytesIO(), without_header)
    return contestants
