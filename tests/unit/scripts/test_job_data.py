"""What the TensorFlow scripts read, without TensorFlow."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import sageline.scripts

SCRIPTS = Path(sageline.scripts.__file__).parent / "tensorflow"


@pytest.fixture(scope="module")
def job_data() -> ModuleType:
    """The module as the container finds it: beside the script, in no package."""
    spec = importlib.util.spec_from_file_location("job_data", SCRIPTS / "shared" / "job_data.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def put_pair(folder: Path, number: int, rows: object, labels: object) -> None:
    np.save(folder / f"part-{number:05d}-x.npy", np.array(rows, dtype=np.float32))
    np.save(folder / f"part-{number:05d}-y.npy", np.array(labels, dtype=np.int64))


def test_the_parts_of_a_channel_are_read_in_order(job_data: ModuleType, tmp_path: Path) -> None:
    put_pair(tmp_path, 1, [[3, 4]], [1])
    put_pair(tmp_path, 0, [[0, 0], [1, 2]], [0, 2])

    rows, labels = job_data.read_channel("train", {"SM_CHANNEL_TRAIN": str(tmp_path)}, 2)

    assert (rows.dtype, rows.tolist(), labels.tolist()) == (np.float32, [[0, 0], [1, 2], [3, 4]], [0, 2, 1])


def test_images_keep_their_shape(job_data: ModuleType, tmp_path: Path) -> None:
    put_pair(tmp_path, 0, np.zeros((5, 2, 3)), np.zeros(5))

    assert job_data.read_channel("validation", {"SM_CHANNEL_VALIDATION": str(tmp_path)}, 6)[0].shape == (5, 2, 3)


def test_csv_has_the_label_first(job_data: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "part-00000.csv").write_bytes(b"1,0.5,2\n")
    (tmp_path / "part-00001.csv").write_bytes(b"0,3,4\n2,5,6\n")

    rows, labels = job_data.read_channel("train", {"SM_CHANNEL_TRAIN": str(tmp_path)}, 2)

    assert (rows.tolist(), labels.tolist()) == ([[0.5, 2], [3, 4], [5, 6]], [1, 0, 2])


def test_a_channel_that_the_job_does_not_have_is_none(job_data: ModuleType) -> None:
    assert job_data.read_channel("validation", {}, 2) is None


def test_a_channel_without_data_is_refused(job_data: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"the channel train holds no data: neither \*-x.npy nor \*.csv is in"):
        job_data.read_channel("train", {"SM_CHANNEL_TRAIN": str(tmp_path)}, 2)


@pytest.mark.parametrize(
    ("rows", "message"),
    [([[1, 2, 3]], "a row of the channel train has 3 numbers; feature_dim is 2"), ([[1, np.nan]], "holds missing numbers")],
)
def test_rows_that_cannot_be_trained_on_are_refused(
    job_data: ModuleType, tmp_path: Path, rows: list[list[float]], message: str
) -> None:
    put_pair(tmp_path, 0, rows, [0])

    with pytest.raises(ValueError, match=message):
        job_data.read_channel("train", {"SM_CHANNEL_TRAIN": str(tmp_path)}, 2)


def test_classes_are_those_that_num_class_allows(job_data: ModuleType) -> None:
    job_data.check_labels(np.array([0, 1]), np.array([1]), "classification", 2)
    job_data.check_labels(np.array([7.5]), None, "regression", None)

    with pytest.raises(ValueError, match="the labels are 0 to 2; num_class is 2"):
        job_data.check_labels(np.array([0, 1]), np.array([0, 2]), "classification", 2)
    with pytest.raises(ValueError, match="num_class is missing"):
        job_data.check_labels(np.array([0, 1]), None, "classification", None)
