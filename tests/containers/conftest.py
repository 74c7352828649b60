"""Tests that run AWS's own code: ``make test-containers CONTAINERS=DIR``, and never without it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers.sources import import_packages

collect_ignore_glob = [] if os.environ.get("CONTAINERS") else ["test_*.py"]


@pytest.fixture(scope="session", autouse=True)
def opt_ml(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What stands for ``/opt/ml``, with AWS's packages importable."""
    base = tmp_path_factory.mktemp("opt") / "ml"
    (base / "input" / "config").mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        import_packages(Path(os.environ["CONTAINERS"]), base, patch)
        yield base
