"""How fast SageMaker's XGBoost container reads a channel in each format, in how much memory, and what each costs to write.

    git clone https://github.com/aws/sagemaker-xgboost-container DIR
    python -m tests.benchmarks.channel_formats DIR 20000 100000 300000

writes a dense table (30 columns of numbers) and a sparse one (200 counts in each row of 50,000 columns) with Sageline's writers,
in each format for each number of rows, and has the container's own reader make a matrix of it in a process of its own. Prints a
JSON document for each: rows a processor second, which hardly depends on what else the machine does, and bytes a row. What
the sparse table takes as CSV or Parquet, where every cell is written, is measured with 500 rows.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow
import pyarrow.parquet
import xgboost

from sageline.arrays.matrix import FloatArray, Matrix, SparseMatrix
from sageline.formats import csv, libsvm, recordio
from tests.benchmarks.prepare_memory import peak_megabytes

FORMATS = ("csv", "libsvm", "parquet", "recordio-protobuf")
_ROOT = Path(__file__).parents[2]
_DENSE_COLUMNS = 30
_SPARSE_COLUMNS, _CELLS = 50_000, 200
_PIECE_ROWS = 5000
_ROWS_OF_EVERY_CELL = 500
_MEGABYTE = 1e6


@dataclass(frozen=True)
class Measured:
    """One format of one table.

    Attributes:
        written, read: rows a processor second.
        stored: bytes a row of the files.
        memory: bytes a row that the reader takes at most, beyond what its process has before.
        matrix: bytes a row of the cells that XGBoost keeps, 4 for each value and 4 for its column.
    """

    table: str
    format: str
    rows: int
    written: int
    read: int
    stored: int
    memory: int
    matrix: int


def measure(checkout: Path, table: str, kind: str, rows: int) -> Measured:
    """Write a table, and read it with the container's reader."""
    with tempfile.TemporaryDirectory() as folder:
        seconds = 0.0
        for number, (matrix, labels) in enumerate(_pieces(table, rows)):
            begun = time.process_time()
            body = _written(kind, matrix, labels)
            seconds += time.process_time() - begun
            (Path(folder) / f"part-{number:05d}").write_bytes(body)
        stored = sum(path.stat().st_size for path in Path(folder).iterdir())
        command = [sys.executable, "-m", "tests.benchmarks.channel_formats", "--read", str(checkout), kind, folder]
        said = subprocess.run(command, cwd=_ROOT, check=True, capture_output=True, text=True).stdout
        answer = json.loads(said.splitlines()[-1])  # XGBoost and the SDK have their say before
    cells = _DENSE_COLUMNS if table == "dense" else _CELLS
    return Measured(
        table=table,
        format=kind,
        rows=rows,
        written=round(rows / seconds),
        read=round(rows / answer["seconds"]),
        stored=round(stored / rows),
        memory=round(answer["megabytes"] * _MEGABYTE / rows),
        matrix=8 * cells,
    )


def _pieces(table: str, rows: int) -> Iterator[tuple[Matrix, FloatArray]]:
    random = np.random.default_rng(0)
    for start in range(0, rows, _PIECE_ROWS):
        some = min(_PIECE_ROWS, rows - start)
        labels = random.integers(0, 2, some).astype(np.float32)
        if table == "dense":
            yield random.normal(size=(some, _DENSE_COLUMNS)).astype(np.float32), labels
            continue
        # Ascending and distinct: one column in each of as many ranges as a row has cells.
        width = _SPARSE_COLUMNS // _CELLS
        columns = np.arange(_CELLS) * width + random.integers(0, width, (some, _CELLS))
        values = random.geometric(0.6, some * _CELLS).astype(np.float32)
        yield SparseMatrix(values, columns.ravel(), np.arange(some + 1) * _CELLS, (some, _SPARSE_COLUMNS)), labels


def _written(kind: str, matrix: Matrix, labels: FloatArray) -> bytes:
    match kind:
        case "csv":
            return csv.write_rows(_dense(matrix), labels)
        case "libsvm":
            return libsvm.write_weighted_rows(matrix, labels, np.ones_like(labels))
        case "parquet":
            table = np.column_stack([labels, _dense(matrix)])
            columns = {f"c{index}": pyarrow.array(column) for index, column in enumerate(table.T)}
            sink = pyarrow.BufferOutputStream()
            pyarrow.parquet.write_table(pyarrow.table(columns), sink)
            return bytes(sink.getvalue())
        case _:
            if isinstance(matrix, SparseMatrix):
                return recordio.write_sparse(matrix, labels)
            return recordio.write_dense(matrix, labels)


def _dense(matrix: Matrix) -> FloatArray:
    return matrix.to_dense() if isinstance(matrix, SparseMatrix) else matrix


def _read(checkout: Path, kind: str, folder: Path) -> dict[str, float]:
    """What the container does with a channel that it has in a directory."""
    reader = _container_reader(checkout)
    xgboost.DMatrix(np.zeros((1, 1), dtype=np.float32))
    before = peak_megabytes()
    begun = time.process_time()
    matrix = reader.get_dmatrix(str(folder), kind)
    seconds = time.process_time() - begun
    return {"seconds": seconds, "megabytes": peak_megabytes() - before, "rows": matrix.num_row()}


def _container_reader(checkout: Path) -> ModuleType:
    """``data_utils`` of the container, with what it takes from a package that does not install any more: the name of a content
    type, and the messages of RecordIO-protobuf, which the SageMaker Python SDK has as well."""
    containers, content_types = ModuleType("sagemaker_containers"), ModuleType("sagemaker_containers._content_types")
    vars(content_types)["CSV"] = "text/csv"
    vars(containers).update(_content_types=content_types, record_pb2=importlib.import_module("sagemaker.amazon.record_pb2"))
    sys.modules["sagemaker_containers"] = containers
    sys.modules["sagemaker_containers.record_pb2"] = vars(containers)["record_pb2"]
    sys.path.insert(0, str(checkout / "src"))
    return importlib.import_module("sagemaker_xgboost_container.data_utils")


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--read"]:
        _, checkout, kind, folder = arguments
        print(json.dumps(_read(Path(checkout), kind, Path(folder))))  # noqa: T201 - to the process that measures
        return
    checkout, *counts = arguments
    for table in ("dense", "sparse"):
        for kind in FORMATS:
            every_cell = table == "sparse" and kind in ("csv", "parquet")
            for rows in [_ROWS_OF_EVERY_CELL] if every_cell else map(int, counts):
                print(json.dumps(asdict(measure(Path(checkout), table, kind, rows))), flush=True)  # noqa: T201 - a command


if __name__ == "__main__":
    main(sys.argv[1:])
