"""RecordIO-protobuf: writing dense and sparse rows."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import numpy as np

from sageline.arrays.matrix import FloatArray
from sageline.formats.recordio import write_dense, write_sparse
from tests.benchmarks import inputs
from tests.benchmarks.peers import peer
from tests.benchmarks.results import SAGELINE, Goal, Result
from tests.benchmarks.rounds import speeds_by_round
from tests.benchmarks.sizes import Sizes

SDK = "SageMaker SDK"
SAVE = "np.save"
_PART_ROWS = 5_000
_CORPUS_MEGABYTES = 10


def run(sizes: Sizes) -> Iterator[Result]:
    for job, part_rows, how in (
        ("dense_recordio", sizes.dense_rows, "at once"),
        ("dense_recordio_parts", _PART_ROWS, f"{_PART_ROWS:,} at a time"),
    ):
        yield Result(
            job=job,
            title=f"write dense RecordIO ({sizes.dense_rows:,} rows of {inputs.WORDS} columns, labelled, {how})",
            unit="rows/s",
            samples=speeds_by_round(_dense(sizes.dense_rows, part_rows), sizes.rounds, sizes.dense_rows),
            limits=(SAVE,),
            goals=[Goal(than=SDK, speed=50), Goal(than=SAVE, speed=0.5)],
            bound="new memory: the frames are made where they stay, so that is what is left; `np.save` is bound by it too",
            note="`np.save` writes the same numbers without frames and labels: the limit. All rows at once are 100 MB, and new "
            "memory bounds everyone, so this ratio is the noisiest. What is written in parts stays in the cache.",
        )
    yield Result(
        job="sparse_recordio",
        title=f"write sparse RecordIO ({sizes.sparse_rows:,} rows of {inputs.WORDS} columns, labelled)",
        unit="rows/s",
        samples=speeds_by_round(_sparse(sizes.sparse_rows, sizes.text_megabytes), sizes.rounds, sizes.sparse_rows),
        goals=[Goal(than=SDK, speed=15)],
        bound="one index per value and per key byte: rows differ in length, so their bytes are placed one by one",
        note="Word counts of documents of the sample.",
    )


def _dense(rows: int, part_rows: int) -> dict[str, Callable[[], object]]:
    matrix, labels = inputs.dense_floats(rows), inputs.labels_of(rows)
    parts = [slice(start, start + part_rows) for start in range(0, rows, part_rows)]

    def in_parts(write: Callable[[FloatArray, FloatArray], object]) -> Callable[[], None]:
        def write_all() -> None:
            for part in parts:
                write(matrix[part], labels[part])

        return write_all

    contestants: dict[str, Callable[[], object]] = {
        SAGELINE: in_parts(write_dense),
        SAVE: in_parts(lambda part, _: np.save(io.BytesIO(), part)),
    }
    if (sdk := peer("sagemaker.amazon.common")) is not None:
        contestants[SDK] = in_parts(lambda part, label: sdk.write_numpy_to_dense_tensor(io.BytesIO(), part, label))
    return contestants


def _sparse(rows: int, megabytes: float) -> dict[str, Callable[[], object]]:
    matrix = inputs.sparse_counts(inputs.corpus(min(megabytes, _CORPUS_MEGABYTES)), rows)
    labels = inputs.labels_of(rows)
    contestants: dict[str, Callable[[], object]] = {SAGELINE: lambda: write_sparse(matrix, labels)}
    sdk, scipy = peer("sagemaker.amazon.common"), peer("scipy.sparse")
    if sdk is not None and scipy is not None:
        theirs = scipy.csr_matrix((matrix.values, matrix.columns, matrix.row_offsets), shape=matrix.shape)
        contestants[SDK] = lambda: sdk.write_spmatrix_to_sparse_tensor(io.BytesIO(), theirs, labels)
    return contestants
