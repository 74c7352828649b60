"""How a script's code comes into AWS's containers without a network: by a channel in training, in the model in serving."""

from __future__ import annotations

import importlib
import io
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

from sageline.models.model_archive import with_code
from sageline.training.source import pack

FILES = {"train.py": b"NAME = 'train'\n", "own/__init__.py": b"NAME = 'own'\n"}


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(params=["sagemaker_training.files", "sagemaker_containers._files"])
def toolkit(request: pytest.FixtureRequest, opt_ml: Path) -> ModuleType:
    """The toolkit of today, and the one in the scikit-learn image's server."""
    return importlib.import_module(request.param)


def test_a_channels_archive_is_unpacked_as_one_from_s3_is(toolkit: ModuleType, tmp_path: Path) -> None:
    (channel := tmp_path / "input" / "data" / "code").mkdir(parents=True)
    (channel / "sourcedir.tar.gz").write_bytes(pack(FILES))

    toolkit.download_and_extract(str(channel / "sourcedir.tar.gz"), str(tmp_path / "code"))

    assert files_of(tmp_path / "code") == FILES


def test_the_models_code_folder_is_taken_as_it_is(toolkit: ModuleType, tmp_path: Path) -> None:
    (packed := tmp_path / "model.tar.gz").write_bytes(with_code(io.BytesIO(pack({"model.joblib": b"1"})), pack(FILES)).read())
    with tarfile.open(packed, "r:gz") as archive:
        archive.extractall(tmp_path / "model", filter="data")

    toolkit.download_and_extract(str(tmp_path / "model" / "code"), str(tmp_path / "code"))

    assert files_of(tmp_path / "code") == FILES
    assert (tmp_path / "model" / "model.joblib").read_bytes() == b"1"


def test_the_servers_of_today_import_from_the_models_code_folder(opt_ml: Path) -> None:
    """PyTorch's, and scikit-learn's for several models: they fetch nothing."""
    environment = importlib.import_module("sagemaker_inference.environment")
    assert Path(environment.code_dir) == Path(environment.model_dir) / "code"
