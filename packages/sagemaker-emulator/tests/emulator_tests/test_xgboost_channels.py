"""The XGBoost engine: what the channels hold, and how their files are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from emulator_tests.recordio import write_dense, write_sparse
from sagemaker_emulator.engines.xgboost.boosting import boost
from sagemaker_emulator.engines.xgboost.channels import CSV, LIBSVM, PARQUET, RECORDIO, check_channels, data_format
from sagemaker_emulator.engines.xgboost.data import data_files, read_matrix
from sagemaker_emulator.engines.xgboost.failures import UserError
from sagemaker_emulator.engines.xgboost.library import xgboost
from sagemaker_emulator.engines.xgboost.requests import decode

FILE_CSV = {"ContentType": "text/csv", "TrainingInputMode": "File", "S3DistributionType": "FullyReplicated"}


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        ({"validation": FILE_CSV}, "Missing required channel: train"),
        ({"train": FILE_CSV, "test": FILE_CSV}, "Extraneous channel found: test"),
        (
            {"train": {**FILE_CSV, "ContentType": "text/csv;label_size=1"}},
            "Channel configuration for 'train' channel is not supported: {'ContentType': 'text/csv;label_size=1'",
        ),
        ({"train": {**FILE_CSV, "TrainingInputMode": "FastFile"}}, "Channel configuration for 'train' channel is not supported"),
        ({"train": FILE_CSV, "code": {**FILE_CSV}}, "Channel configuration for 'code' channel is not supported"),
        ({"train": {**FILE_CSV, "TrainingInputMode": "Pipe"}}, "Pipe mode for CSV is no longer supported"),
    ],
)
def test_channels_are_checked_as_the_container_does(channels: dict[str, dict[str, str]], message: str) -> None:
    with pytest.raises(UserError) as refused:
        check_channels(channels)

    assert message in str(refused.value)


def test_a_code_channel_is_not_data() -> None:
    script = {**FILE_CSV, "ContentType": "text/python"}
    check_channels({"train": FILE_CSV, "validation": FILE_CSV, "code": script})

    with pytest.raises(UserError):
        check_channels({"train": FILE_CSV, "validation": script})


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (None, LIBSVM),
        ("csv", CSV),
        ("csv;label_size=1", CSV),
        ("text/csv; charset=utf-8", CSV),
        ("text/csv;label_size=1", CSV),
        ("Text/X-LibSVM", LIBSVM),
        ("application/x-recordio-protobuf", RECORDIO),
        ("parquet", PARQUET),
    ],
)
def test_content_types(content_type: str | None, expected: str) -> None:
    assert data_format(content_type) == expected


@pytest.mark.parametrize("content_type", ["application/json", "text/csv;label_size=0", "nonsense"])
def test_other_content_types_are_refused(content_type: str) -> None:
    with pytest.raises(UserError, match="is not an accepted"):
        data_format(content_type)


def test_csv_has_its_label_first_and_empty_cells_are_missing(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("1,5,\n")
    (tmp_path / "a.csv").write_text("0,,2\n")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "c.csv").write_text("1;3;4\n".replace(";", ","))

    matrix = read_matrix(tmp_path, CSV, weights=False)

    assert matrix is not None
    assert sorted(matrix.get_label().tolist()) == [0.0, 1.0, 1.0]
    assert (matrix.num_row(), matrix.num_col(), matrix.num_nonmissing()) == (3, 2, 4)


def test_nothing_is_beside_the_files_that_the_reader_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks at all that is there, and a file of somebody else's that goes away meanwhile would fail the job."""
    for name in ("part-0.csv", "part-1.csv"):
        (tmp_path / name).write_text("1,2\n")
    beside: list[list[str]] = []
    make = xgboost.DMatrix

    def looking(uri: str) -> xgboost.DMatrix:
        paths = uri.partition("?")[0].split(";")
        beside.extend([entry.name for entry in Path(path).parent.iterdir()] for path in paths)
        return make(uri)

    monkeypatch.setattr(xgboost, "DMatrix", looking)

    assert read_matrix(tmp_path, CSV, weights=False) is not None
    assert beside == [["data"], ["data"]]


@pytest.mark.parametrize(("file_format", "line"), [(CSV, "{},1\n"), (LIBSVM, "{} 0:1\n")])
def test_files_are_read_in_the_order_of_their_names(tmp_path: Path, file_format: str, line: str) -> None:
    """Whatever the order in which the file system lists them, so that a model is the same on each machine."""
    for number in (7, 2, 9, 0, 5, 1, 8, 3, 6, 4):
        (tmp_path / f"part-{number}").write_text(line.format(number))

    matrix = read_matrix(tmp_path, file_format, weights=False)

    assert matrix is not None
    assert matrix.get_label().tolist() == list(range(10))


def test_the_delimiter_is_found_and_weights_are_read_when_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("0;0.5;1;2\n1;0.25;3;4\n")

    matrix = read_matrix(tmp_path, CSV, weights=True)

    assert matrix is not None
    assert matrix.get_weight().tolist() == [0.5, 0.25]
    assert matrix.num_col() == 2


def test_libsvm_is_read_and_something_else_is_told_from_it(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1 0:1.5 2:3\n0 1:2\n")
    matrix = read_matrix(tmp_path, LIBSVM, weights=False)
    assert matrix is not None
    assert (matrix.num_row(), matrix.num_col()) == (2, 3)

    (tmp_path / "a").write_text("1,2,3\n")
    with pytest.raises(UserError, match="of file 'a' is not 'LIBSVM' format"):
        read_matrix(tmp_path, LIBSVM, weights=False)


def test_dense_and_sparse_recordio_give_the_same_matrix_but_for_absent_cells(tmp_path: Path) -> None:
    dense = np.array([[1, 0, 2], [0, 3, 0]], dtype=np.float32)
    labels = np.array([1, 0], dtype=np.float32)
    for name, data in (("dense", write_dense(dense, labels)), ("sparse", write_sparse(csr_matrix(dense), labels))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "part-0").write_bytes(data)

    read = {name: read_matrix(tmp_path / name, RECORDIO, weights=False) for name in ("dense", "sparse")}

    for matrix in read.values():
        assert matrix is not None
        assert matrix.get_label().tolist() == [1.0, 0.0]
        assert (matrix.num_row(), matrix.num_col()) == (2, 3)
        np.testing.assert_array_equal(matrix.get_data().toarray(), dense)
    assert {name: matrix.num_nonmissing() for name, matrix in read.items() if matrix} == {"dense": 6, "sparse": 3}


def test_a_cell_that_is_not_a_number_is_missing_as_an_absent_one_is(tmp_path: Path) -> None:
    """What is written for a text without a known word."""
    random = np.random.default_rng(0)
    table = np.where(random.random((300, 4)) < 0.4, random.random((300, 4)), np.nan).astype(np.float32)
    labels = (np.nan_to_num(table[:, 0], nan=2.0) > 0.6).astype(np.float32)
    model = boost({"num_round": 8, "objective": "binary:logistic"}, xgboost.DMatrix(table, label=labels), None)

    missing, zero = (
        decode(write_sparse(csr_matrix(([np.float32(cell)], ([0], [0])), shape=(1, 4))), "application/x-recordio-protobuf")
        for cell in (np.nan, 0)
    )

    assert model.predict(missing) == model.predict(xgboost.DMatrix(np.full((1, 4), np.nan)))
    assert model.predict(zero) != model.predict(missing)
    assert missing.num_nonmissing() == 0


def test_a_record_without_keys_among_sparse_ones_is_refused(tmp_path: Path) -> None:
    """The container takes it for dense, of no columns."""
    sparse = csr_matrix((np.ones(1, np.float32), ([0], [0])), shape=(2, 5))
    filled = csr_matrix((np.array([1, np.nan], np.float32), ([0, 1], [0, 0])), shape=(2, 5))
    labels = np.zeros(2, dtype=np.float32)
    (tmp_path / "part-0").write_bytes(write_sparse(sparse, labels))

    with pytest.raises(UserError, match="record 2 has no keys, so it counts as dense, of 0 columns, others have 5"):
        read_matrix(tmp_path, RECORDIO, weights=False)

    (tmp_path / "part-0").write_bytes(write_sparse(filled, labels))
    assert read_matrix(tmp_path, RECORDIO, weights=False) is not None


def test_recordio_parts_of_different_kinds_go_together_where_they_are_equally_wide(tmp_path: Path) -> None:
    one = csr_matrix((np.ones(1, np.float32), ([0], [0])), shape=(1, 3))
    (tmp_path / "a").write_bytes(write_sparse(one, np.ones(1, dtype=np.float32)))
    (tmp_path / "b").write_bytes(write_dense(np.ones((2, 3), dtype=np.float32), np.zeros(2, dtype=np.float32)))

    matrix = read_matrix(tmp_path, RECORDIO, weights=False)

    assert matrix is not None
    assert (matrix.num_row(), matrix.num_col(), matrix.num_nonmissing()) == (3, 3, 7)
    (tmp_path / "c").write_bytes(write_dense(np.ones((1, 5), dtype=np.float32), np.zeros(1, dtype=np.float32)))
    with pytest.raises(UserError, match="incompatible column dimensions: the files have records of 3 and 5 columns"):
        read_matrix(tmp_path, RECORDIO, weights=False)


@pytest.mark.parametrize("kind", [np.int64, np.float64])
def test_numbers_of_every_kind_are_read_from_records(tmp_path: Path, kind: type[np.number[Any]]) -> None:
    rows = np.array([[1, -2, 3], [0, 255, 0]])
    (tmp_path / "part-0").write_bytes(write_dense(rows.astype(kind), np.array([1, 0]).astype(kind)))

    matrix = read_matrix(tmp_path, RECORDIO, weights=False)

    assert matrix is not None
    np.testing.assert_array_equal(matrix.get_data().toarray(), rows)
    assert matrix.get_label().tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"1,2,3\n4,5,6\n", "Failed to load recordio-protobuf data with exception:\npart-0: record 1 at byte 0"),
        (None, "have no labels"),
    ],
)
def test_recordio_that_can_not_be_trained_on_is_named(tmp_path: Path, data: bytes | None, message: str) -> None:
    (tmp_path / "part-0").write_bytes(data or write_dense(np.ones((1, 2), dtype=np.float32)))

    with pytest.raises(UserError) as refused:
        read_matrix(tmp_path, RECORDIO, weights=False)

    assert message in str(refused.value)


def test_an_empty_channel_has_no_matrix(tmp_path: Path) -> None:
    (tmp_path / "part-0").write_bytes(b"")

    assert read_matrix(tmp_path, CSV, weights=False) is None


def test_an_empty_csv_file_beside_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "part-0").write_text("1,2\n")
    (tmp_path / "part-1").write_text("")

    with pytest.raises(UserError, match="Could not determine delimiter on line :"):
        read_matrix(tmp_path, CSV, weights=False)


def test_xgboosts_own_reader_takes_files_with_an_underscore_too_and_that_of_recordio_does_not(tmp_path: Path) -> None:
    for kind, name, content in (
        (CSV, "part-0", b"1,2\n"),
        (CSV, "_part-1", b"0,3\n"),
        (RECORDIO, "part-0", write_dense(np.ones((1, 1), np.float32), np.ones(1, np.float32))),
        (RECORDIO, "_part-1", b"x"),
    ):
        (tmp_path / kind).mkdir(exist_ok=True)
        (tmp_path / kind / name).write_bytes(content)

    rows = {kind: read_matrix(tmp_path / kind, kind, weights=False) for kind in (CSV, RECORDIO)}

    assert {kind: matrix and matrix.num_row() for kind, matrix in rows.items()} == {CSV: 2, RECORDIO: 1}


def test_files_more_than_two_directories_below_are_not_read_and_hidden_ones_are_refused(tmp_path: Path) -> None:
    for depth in ("a", "a/b", "a/b/c"):
        (tmp_path / depth).mkdir(parents=True, exist_ok=True)
        (tmp_path / depth / "part").write_text("1,2\n")

    assert [path.relative_to(tmp_path).as_posix() for path in data_files(tmp_path)] == ["a/b/part", "a/part"]
    (tmp_path / ".hidden").write_text("x")
    with pytest.raises(UserError, match="Hidden file found"):
        data_files(tmp_path)


def test_parquet_and_undelimited_csv_are_refused(tmp_path: Path) -> None:
    (tmp_path / "part").write_text("\n1,2\n")

    with pytest.raises(UserError, match="does not read parquet"):
        read_matrix(tmp_path, PARQUET, weights=False)
    with pytest.raises(UserError, match="Could not determine delimiter on line"):
        read_matrix(tmp_path, CSV, weights=False)
