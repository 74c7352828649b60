"""The channels of first-party algorithms: what is taken, and how everything else is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from emulator_tests.first_party import CSV, RECORDIO, job_directory
from emulator_tests.recordio import write_csv, write_dense, write_sparse
from sagemaker_emulator.engines.first_party import hyperparameters
from sagemaker_emulator.engines.first_party.channels import read_channels
from sagemaker_emulator.engines.first_party.failures import CustomerError, describe
from sagemaker_emulator.engines.first_party.hyperparameters import whole
from sagemaker_emulator.engines.knn.train import TENSORS as KNN_TENSORS

ROWS = np.array([[1, 0, 2], [0, 3, 0]], dtype=np.float32)
LABELS = np.array([1, 0], dtype=np.float32)
SPARSE = csr_matrix(ROWS)
EMPTY_ROW = csr_matrix(np.array([[1, 0, 0], [0, 0, 0]], dtype=np.float32))


@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        (CSV, write_csv(ROWS, LABELS)),
        ("text/csv;label_size=1", write_csv(ROWS, LABELS)),
        ("text/csv; label_size=1; charset=utf-8", write_csv(ROWS, LABELS)),
        (RECORDIO, write_dense(ROWS, LABELS)),
        (RECORDIO, write_sparse(SPARSE, LABELS)),
        (None, write_dense(ROWS, LABELS)),
    ],
)
def test_every_content_type_gives_the_same_rows(tmp_path: Path, content_type: str | None, data: bytes) -> None:
    root = job_directory(tmp_path, {}, {"train": data, "test": data}, content_type=content_type)

    channels = read_channels(root, optional=("validation", "test"))

    assert channels is not None
    assert list(channels) == ["train", "test"]
    features = channels["train"].features
    dense = features.toarray() if isinstance(features, csr_matrix) else features
    np.testing.assert_array_equal(dense, ROWS)
    np.testing.assert_array_equal(channels["train"].labels, LABELS)


def test_files_of_different_kinds_in_any_folder_go_together(tmp_path: Path) -> None:
    root = job_directory(tmp_path, {}, {"train": write_dense(ROWS, LABELS)}, content_type=RECORDIO)
    (root / "input" / "data" / "train" / "more").mkdir()
    (root / "input" / "data" / "train" / "more" / "part-1").write_bytes(write_sparse(SPARSE, LABELS))
    (root / "input" / "data" / "train" / "_SUCCESS").write_bytes(b"")

    channels = read_channels(root, optional=())

    assert channels is not None
    np.testing.assert_array_equal(csr_matrix(channels["train"].features).toarray(), np.concatenate([ROWS, ROWS]))


@pytest.mark.parametrize("distribution", ["ShardedByS3Key", "FullyReplicated"])
def test_the_first_host_trains_on_every_hosts_shard(tmp_path: Path, distribution: str) -> None:
    data = write_csv(ROWS, LABELS)
    root = job_directory(tmp_path, {}, {"train": data}, distribution=distribution, hosts=("algo-1", "algo-2"))

    channels = read_channels(root, optional=())

    assert channels is not None
    assert len(channels["train"]) == (4 if distribution == "ShardedByS3Key" else 2)
    assert read_channels(tmp_path / "algo-2", optional=()) is None


NO_TRAIN = "Failed to validate input data configuration. (caused by ValidationError)\n\nCaused by: 'train' is a required property"


@pytest.mark.parametrize(
    ("channels", "content_type", "message"),
    [
        ({"test": b"1,2\n"}, CSV, NO_TRAIN),
        (
            {"train": b"1,2\n", "extra": b""},
            CSV,
            "Caused by: Additional properties are not allowed ('extra' was unexpected)",
        ),
        ({"train": b"{}"}, "application/json", "Content type 'application/json' of channel 'train' is not supported."),
        ({"train": b"1,2\n"}, "text/csv;label_size=0", "Content type 'text/csv;label_size=0' of channel 'train' is not supp"),
        ({"train": b""}, CSV, "Unable to read data channel 'train'. The channel has no data."),
        ({"train": b"1,2\n", "test": b""}, CSV, "Unable to read data channel 'test'. The channel has no data."),
        ({"train": b"label,x\n1,2\n"}, CSV, "(Input Error) part-0: line 1, column 1: 'label' is not a number"),
        ({"train": b"1,2\n1,2,3\n"}, CSV, "(Input Error) part-0: line 2 has 3 cells, the first line has 2"),
        ({"train": b"1,\n"}, CSV, "Found missing (NaN) values. Please remove any missing (NaN) values in the input data."),
        ({"train": b"1,inf\n"}, CSV, "Found infinite floating point values."),
        ({"train": b"1,2\n"}, RECORDIO, "Requested content-type is 'application/x-recordio-protobuf'. Please verify the data"),
        ({"train": write_sparse(EMPTY_ROW, LABELS)}, RECORDIO, "(Input Error) part-0: incompatible column dimensions: record 2"),
        ({"train": write_dense(ROWS)}, RECORDIO, "(Input Error) part-0: the records have no label"),
    ],
)
def test_what_the_algorithm_does_not_take_is_refused(
    tmp_path: Path, channels: dict[str, bytes], content_type: str, message: str
) -> None:
    root = job_directory(tmp_path, {}, channels, content_type=content_type)

    with pytest.raises(CustomerError) as refused:
        read_channels(root, optional=("test",))

    assert message in str(refused.value)


@pytest.mark.parametrize(("kind", "title"), [(np.float64, "Float64"), (np.int64, "Int32")])
def test_numbers_that_are_not_float32_are_refused(tmp_path: Path, kind: type[np.number[Any]], title: str) -> None:
    """What the SDK makes of numpy's own kinds of numbers."""
    root = job_directory(tmp_path, {}, {"train": write_dense(ROWS.astype(kind), LABELS)}, content_type=RECORDIO)

    with pytest.raises(
        CustomerError, match=rf"\(Input Error\) part-0: the numbers of features and label must be Float32 tensors, not {title}"
    ):
        read_channels(root, optional=())


def test_integers_are_read_for_an_algorithm_that_takes_them(tmp_path: Path) -> None:
    integers = write_dense(ROWS.astype(np.int64), LABELS.astype(np.int64))
    root = job_directory(tmp_path, {}, {"train": integers}, content_type=None)

    channels = read_channels(root, optional=(), tensors=KNN_TENSORS)

    assert channels is not None
    assert np.array_equal(channels["train"].features, ROWS)
    assert np.array_equal(channels["train"].labels, LABELS)
    double = job_directory(tmp_path / "double", {}, {"train": write_dense(ROWS.astype(np.float64), LABELS)}, content_type=None)
    with pytest.raises(CustomerError, match="must be Float32 or Int32 tensors, not Float64"):
        read_channels(double, optional=(), tensors=KNN_TENSORS)


def test_files_of_differing_width_are_refused(tmp_path: Path) -> None:
    root = job_directory(tmp_path, {}, {"train": b"1,2,3\n"})
    (root / "input" / "data" / "train" / "part-1").write_bytes(b"1,2\n")

    with pytest.raises(CustomerError, match=r"the files have rows of \[1, 2\] features"):
        read_channels(root, optional=())


def test_a_hyperparameter_problem_is_told_as_sagemaker_does() -> None:
    table = {"k": whole(required=True)}
    with pytest.raises(CustomerError) as missing:
        hyperparameters.read(table, {"z": "1"})
    with pytest.raises(CustomerError) as unknown:
        hyperparameters.read(table, {"k": "1", "z": "1"})
    with pytest.raises(CustomerError) as wrong:
        hyperparameters.read(table, {"k": "0"})

    assert str(missing.value) == (
        "No value(s) were specified for 'k' which are required hyperparameter(s) (caused by ValidationError)\n\n"
        "Caused by: 'k' is a required property"
    )
    assert str(unknown.value).startswith(
        "Additional properties are not allowed (u'z' was unexpected) (caused by ValidationError)"
    )
    assert str(wrong.value) == (
        "u'0' is not valid under any of the given schemas (caused by ValidationError)\n\n"
        "Caused by: u'0' is not valid under any of the given schemas\n\n"
        "Failed validating u'oneOf' in schema[u'properties'][u'k']\n\nOn instance[u'k']:\n    u'0'"
    )
    assert hyperparameters.read(table, {"k": "1", "_tuning_objective_metric": "test:mse"}) == {"k": 1}


def test_the_customers_fault_and_the_algorithms_end_differently() -> None:
    theirs, ours = describe(CustomerError("no")), describe(KeyError("x"))

    assert (theirs.text, theirs.exit_status) == ("ClientError: no", 2)
    assert (ours.text, ours.exit_status) == ("KeyError: 'x'", 1)
