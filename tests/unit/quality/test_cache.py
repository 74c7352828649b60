"""A measurement is kept, so that one that was broken off goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.quality import cache
from tests.quality.arms import Arm
from tests.quality.datasets.tables import DATASETS, Dataset
from tests.quality.measure import Kept, mean_value, paired, splits_of

RANDOM = np.random.default_rng(1)
ARM = Arm("linear", {"algorithm": {"name": "linear-learner"}})


def a_table(_: Path) -> pd.DataFrame:
    size = RANDOM.normal(size=300)
    return pd.DataFrame({"size": size, "weight": RANDOM.normal(size=300), "kind": np.where(size > 0, "large", "small")})


def test_what_was_measured_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, kept = Dataset("table", "numbers", "", a_table, "kind"), Kept(tmp_path)
    first = kept.sageline(dataset, ARM, seed=0)
    peer = kept.hist_gradient_boosting(dataset, first)
    monkeypatch.setattr("tests.quality.measure.run", None)
    monkeypatch.setattr("tests.quality.measure.read_table", None)

    again = kept.sageline(dataset, ARM, seed=0)
    assert again.rows == first.rows == peer.rows
    assert mean_value([again]) == mean_value([first]) > 0.9
    assert mean_value([kept.hist_gradient_boosting(dataset, again)]) == mean_value([peer]) > 0.9
    assert paired([again], [again]) == (0.0, 0.0)


def test_other_code_is_measured_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("answer = 1\n")
    monkeypatch.setattr(cache, "PEERS", (str(tmp_path),))
    before = cache.version_of_peers.__wrapped__()
    (tmp_path / "one.py").write_text("answer = 2\n")
    assert cache.version_of_peers.__wrapped__() != before


def test_a_small_table_is_split_often_and_a_large_one_once() -> None:
    assert [splits_of(rows) for rows in (252, 1_000, 1_470, 5_000, 20_000)] == [5, 4, 3, 1, 1]


def test_no_dataset_excludes_its_label() -> None:
    assert not [dataset.name for dataset in DATASETS if dataset.label in dataset.exclude]
