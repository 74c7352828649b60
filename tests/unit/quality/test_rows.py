"""Peers answer the rows that a run of Sageline has kept for its test, and see no other label."""

from __future__ import annotations

import numpy as np
import pytest

from tests.quality.arms import PRESETS, Arm
from tests.quality.peers.table import read_table
from tests.quality.rows import test_rows as rows_of
from tests.quality.sageline_run import run

RANDOM = np.random.default_rng(0)
LINES = [
    f"{size:.3f},{kind},2021-{1 + index % 12:02d}-03,{'yes' if size > 0.3 * (kind == 'a') else 'no'}"
    for index, (size, kind) in enumerate(zip(RANDOM.normal(size=400), RANDOM.choice(["a", "b", ""], 400), strict=True))
]
TABLE = "\n".join(["size,kind,day,bought", *LINES, ""]).encode()


@pytest.mark.parametrize("arm", [Arm("named", {"algorithm": {"name": "linear-learner"}}), PRESETS["quick"]])
def test_a_run_answers_the_rows_that_it_says(arm: Arm) -> None:
    done = run(TABLE, "bought", [], arm, seed=1)
    rows = rows_of(TABLE, "bought", done.raw)

    labels = [LINES[row].rsplit(",", 1)[1] for row in rows]
    assert done.judged.classes is not None
    assert [done.judged.classes[number] for number in done.judged.expected] == labels
    assert 50 < len(rows) < 110
    assert sum(candidate.chosen for candidate in done.candidates) == 1
    assert np.mean(done.answers.chosen == done.judged.expected) > 0.8


def test_a_row_that_the_table_lacks_is_an_error() -> None:
    raw = [{"features": {"size": 99.0, "kind": "a", "day": "2021-01-03"}, "label": "yes"}]
    with pytest.raises(ValueError, match="test row 1 is no row of the table"):
        rows_of(TABLE, "bought", raw)


def test_a_peer_reads_numbers_categories_parts_of_dates_and_which_rows_test() -> None:
    table = read_table(TABLE, "bought", [], [0, 2], values=False)
    assert table.categories == ["kind"]
    assert "day.day_of_year" in table.numbers
    assert table.features["day.day_of_year"].tolist()[:3] == [3, 34, 62]
    assert np.flatnonzero(table.is_test).tolist() == [0, 2]
    assert "bought" not in table.features
