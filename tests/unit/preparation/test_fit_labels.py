"""Preparing rows without labels, labels of several spellings, and datasets too small to be split by hashes."""

from __future__ import annotations

import numpy as np
import pytest

from sageline.dataset.split import CHANNELS, assign
from sageline.spec.model import SplitSpec
from tests.unit.dataset.reading import block_of
from tests.unit.preparation.test_fit_and_encode import (
    NUMBERS,
    POSTS,
    TABLE_SPEC,
    TEXT_SPEC,
    as_csv,
    labels_of,
    prepare_csv,
    spec_of,
)


def test_rows_without_a_label_are_counted_and_not_used() -> None:
    rows = [*POSTS, ("nobody knows", ""), ("nor this", "  ")]

    prepared, parts = prepare_csv(as_csv("post,label", rows), TEXT_SPEC)

    assert sum(prepared.rows.values()) == len(POSTS)
    assert prepared.profile["rows"]["unlabelled"] == 2
    assert prepared.encoder.classes == ["bad", "good"]
    without, raw = prepare_csv(as_csv("post,label", POSTS), TEXT_SPEC)
    assert (prepared.rows, parts.raw) == (without.rows, raw.raw)


def test_words_for_a_missing_number_are_no_label_of_a_regression() -> None:
    rows = [*NUMBERS, (1.5, "colour 1", "n.d."), (2.5, "colour 2", "nan")]

    prepared, _ = prepare_csv(as_csv("x,c,y", rows), TABLE_SPEC)

    assert (sum(prepared.rows.values()), prepared.profile["rows"]["unlabelled"]) == (len(NUMBERS), 2)


def test_labels_that_differ_by_blanks_or_as_whole_numbers_are_one_class() -> None:
    spellings = {"1": ["1", " 1", "1.0", "1e0"], "2": ["2", "2 ", "2.0", "2"]}
    rows = [
        (f"{word} {index}", spellings[label][index % 4]) for index in range(60) for word, label in (("ham", "1"), ("egg", "2"))
    ]

    prepared, parts = prepare_csv(as_csv("post,label", rows), TEXT_SPEC)

    assert prepared.encoder.classes == ["1", "2"]
    assert {row["label"] for row in parts.raw} <= {"1", "2"}
    assert sum(prepared.rows.values()) == len(rows)


@pytest.mark.parametrize("seed", range(20))
def test_from_twenty_rows_on_every_share_has_a_row(seed: int) -> None:
    rows = [(f"{word} {index}", label) for index in range(10) for word, label in (("ham", "good"), ("spam", "bad"))]
    split = {"train": 0.8, "validation": 0.1, "test": 0.1, "seed": seed}

    prepared, parts = prepare_csv(as_csv("post,label", rows), spec_of({"post": "text"}, "label", "classification", split=split))

    assert sum(prepared.rows.values()) == 20
    assert min(prepared.rows.values()) >= 1
    assert len(parts.raw) == prepared.rows["test"]
    assert {channel: len(labels_of(parts, channel, prepared)) for channel in ("train", "validation")} == {
        channel: prepared.rows[channel] for channel in ("train", "validation")
    }


def test_a_split_that_the_hashes_fill_goes_by_the_hashes() -> None:
    _, parts = prepare_csv(as_csv("post,label", POSTS), TEXT_SPEC)

    block = block_of({"post": [post for post, _ in POSTS], "label": [label for _, label in POSTS]})
    test = [POSTS[index][0] for index in np.flatnonzero(assign(block, SplitSpec()) == CHANNELS.index("test"))]
    assert [row["features"]["post"] for row in parts.raw] == test
