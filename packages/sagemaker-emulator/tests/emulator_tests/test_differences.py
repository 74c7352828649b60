"""The document on what differs says what the comparison with moto's tests holds."""

from __future__ import annotations

from pathlib import Path

from moto_suite.differences import DIFFERENCES

DOCUMENT = Path(__file__).parents[2] / "docs" / "differences.md"


def test_every_difference_to_moto_is_in_the_document() -> None:
    rows = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| `test_")]

    assert rows == [f"| `{name}` | {side} | {why} |" for name, (side, why) in DIFFERENCES.items()]


def test_each_is_judged() -> None:
    assert {difference.side for difference in DIFFERENCES.values()} <= {"moto", "kept"}
