"""AWS's own code, from clones of its repositories: which are needed, and how their packages are imported without their images."""

from __future__ import annotations

import collections
import collections.abc
import importlib
import sys
from pathlib import Path
from unittest.mock import MagicMock

import pytest

SOURCES = (
    "sagemaker-xgboost-container",
    "sagemaker-containers",
    "sagemaker-training-toolkit",
    "sagemaker-inference-toolkit",
    "sagemaker-scikit-learn-container",
    "sagemaker-tensorflow-serving-container",
)
_IMPORTED = (
    *("sagemaker_xgboost_container.algorithm_mode.serve", "sagemaker_xgboost_container.algorithm_mode.train"),
    *("sagemaker_sklearn_container.serving", "sagemaker_training.environment"),
)
# What they import and the parts under test do not call.
_NOT_CALLED = (
    *("gevent", "gunicorn", "gunicorn.app", "gunicorn.app.base", "pyarrow", "pyarrow.parquet", "paramiko", "retrying"),
    *("inotify_simple", "gethostname", "pkg_resources", "dask", "dask.array", "dask.distributed", "xgboost.dask"),
)


def missing(directory: str) -> str | None:
    """What to do where sources are not there; None if all are."""
    lacking = [name for name in SOURCES if not directory or not (Path(directory) / name).is_dir()]
    if not lacking:
        return None
    clones = "\n".join(f"  git clone https://github.com/aws/{name}" for name in lacking)
    place = directory or "a directory of your choice, DIR"
    return f"AWS's sources are not there. In {place}:\n{clones}\nThen: make test-containers CONTAINERS={directory or 'DIR'}"


def import_packages(directory: Path, base: Path, patch: pytest.MonkeyPatch) -> None:
    """Import the packages from their clones; ``base`` stands for ``/opt/ml``."""
    for name in SOURCES:
        patch.syspath_prepend(directory / name / "src")
    patch.setenv("SAGEMAKER_BASE_DIR", str(base))
    # The images mend this line of sagemaker-containers when they are built.
    patch.setattr(collections, "Mapping", collections.abc.Mapping, raising=False)
    # The same messages, generated for a protobuf that still works.
    record = importlib.import_module("sagemaker_training.record_pb2")
    patch.setitem(sys.modules, "sagemaker_containers.record_pb2", record)
    patch.setattr(importlib.import_module("sagemaker_containers"), "record_pb2", record, raising=False)
    for name in ("pandas", "sklearn.model_selection", "xgboost"):  # which look for what is replaced meanwhile
        importlib.import_module(name)
    with pytest.MonkeyPatch.context() as meanwhile:
        for name in _NOT_CALLED:
            if not _is_there(name):
                meanwhile.setitem(sys.modules, name, MagicMock(name=name))
        meanwhile.setattr(sys.modules["gunicorn.app.base"], "BaseApplication", object)
        for name in _IMPORTED:
            importlib.import_module(name)


def _is_there(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(missing(sys.argv[1]))
