from __future__ import annotations

from collections import Counter
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.arrays.factors import factors
from sageline.arrays.strings import StringArray
from sageline.encoder.columns import value_counts
from sageline.encoder.columns.value_counts import Targets, ValueCounts

VALUES = st.lists(st.sampled_from("abcdefghijklmnop"), max_size=12)


def counted(values: list[str], labels: list[float] | list[str] | None = None) -> tuple[ValueCounts, Targets]:
    """Counts of values; the labels are numbers, or classes if they are texts."""
    texts = [label for label in labels or [] if isinstance(label, str)]
    counts, targets = ValueCounts(), Targets(is_class=bool(texts))
    targets.read(StringArray.from_list(texts) if texts else np.array(labels or [0.0] * len(values)).astype(np.float32))
    counts.add(factors(StringArray.from_list(values)), np.zeros(len(values), dtype=np.int64), targets)
    return counts, targets


def merge(first: tuple[ValueCounts, Targets], second: tuple[ValueCounts, Targets]) -> tuple[ValueCounts, Targets]:
    of_targets = first[1].merge(second[1])
    first[0].merge(second[0], first[1], of_targets)
    return first


@given(st.lists(VALUES, max_size=6))
def test_merged_counts_are_too_low_by_no_more_than_they_say(pieces: list[list[str]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(value_counts, "MOST_VALUES", 4)
        counts = counted([])
        for piece in pieces:
            merge(counts, counted(piece))

    found, true = counts[0].values(), Counter(value for piece in pieces for value in piece)
    assert all(count - counts[0].forgotten <= found.get(value, 0) <= count for value, count in true.items())
    assert len(found) <= 4


def test_what_two_pieces_have_forgotten_adds_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(value_counts, "MOST_VALUES", 4)
    pieces = [counted(list("aaabcdef")), counted(list("aaabcdef"))]
    assert [counts.forgotten for counts, _ in pieces] == [1, 1]

    counts, _ = merge(*pieces)

    assert (counts.values(), counts.forgotten) == ({"a": 6}, 2)


def test_labels_are_added_to_their_own_sums_in_whatever_order_they_came() -> None:
    counts, targets = merge(counted(["a", "a", "b"], ["x", "y", "y"]), counted(["b", "a"], ["y", "z"]))

    labels = counts.of_values(["a", "b"], targets, ["x", "y", "z"]).labels.sum(axis=1)

    assert labels.tolist() == [[1, 1, 1], [0, 2, 0]]


def test_numbers_are_summed_without_a_loss_whatever_their_size() -> None:
    pieces = [counted(["a"], [2.0**100]), counted(["a", "b"], [2.0**-60, 3.75]), counted(["b", "a"], [-0.5, -(2.0**100)])]

    counts, targets = reduce(merge, pieces)

    assert counts.of_values(["a", "b"], targets, None).labels.sum(axis=(1, 2)).tolist() == [2.0**-60, 3.25]
