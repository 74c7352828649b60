from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.encoder.columns import median
from sageline.encoder.columns.median import MedianOfNumbers

SINGLES = st.floats(allow_nan=False, allow_infinity=False, width=32)
FEW = st.sampled_from([0.0, -0.0, 1.0, 1.5, 3.0, 255.0])
PIECES = st.lists(st.lists(SINGLES | FEW, max_size=12), max_size=6)


def median_of(values: list[float]) -> MedianOfNumbers:
    found = MedianOfNumbers()
    found.add(np.array(values, dtype=np.float32))
    return found


@given(PIECES, st.sampled_from([1, 4, 1000]))
def test_the_median_does_not_depend_on_the_pieces_and_their_order(pieces: list[list[float]], most: int) -> None:
    together = [value for piece in pieces for value in piece]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(median, "MOST_KEPT", most)
        one_by_one, merged, backwards = MedianOfNumbers(), MedianOfNumbers(), MedianOfNumbers()
        for piece in pieces:
            one_by_one.add(np.array(piece, dtype=np.float32))
            merged.merge(median_of(piece))
        for piece in reversed(pieces):
            backwards.merge(median_of(piece))
        found = median_of(together).median

        assert str(found) == str(one_by_one.median) == str(merged.median) == str(backwards.median)


@given(st.lists(SINGLES, min_size=1, max_size=60))
def test_the_median_of_few_values_is_exact(values: list[float]) -> None:
    assert median_of(values).median == np.median(np.array(values, dtype=np.float64))


@given(st.lists(SINGLES, min_size=7, max_size=60).filter(lambda values: len(values) % 2 == 1))
def test_the_median_of_very_many_values_is_less_than_a_128th_away(values: list[float]) -> None:
    exact = float(np.median(values))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(median, "MOST_KEPT", 5)

        assert median_of(values).median == pytest.approx(exact, rel=1 / 128, abs=float(np.finfo(np.float32).tiny))


def test_the_median_of_very_many_small_whole_numbers_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(median, "MOST_KEPT", 10)
    values = np.random.default_rng(0).integers(0, 256, 999).astype(np.float32)

    assert median_of(values.tolist()).median == np.median(values)


def test_the_values_of_a_bin_are_taken_as_evenly_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(median, "MOST_KEPT", 10)

    assert median_of(np.arange(10_001.0).tolist()).median == pytest.approx(5000, abs=0.5)
