from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sageline.arrays.blocks import Block
from sageline.arrays.hashing import hash_strings
from sageline.arrays.strings import StringArray
from sageline.dataset.split import assign, bounds_of, channels_of, placed
from sageline.spec.model import SplitSpec
from tests.unit.dataset.reading import block_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
GOLDEN_HASHES = [0, 14766784051893128930, 8892624026640710525, 4208431084503627770, 11712156284252167640]
GOLDEN_PLACES = "200010020002000000200100001022000000000000000000001201000020"
ROWS = st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=20)


def places(rows: list[tuple[str, str]], split: SplitSpec | None = None) -> list[int]:
    return [int(place) for place in assign(block_of_rows(rows), split or SplitSpec())]


def block_of_rows(rows: list[tuple[str, str]]) -> Block:
    return block_of({"a": [first for first, _ in rows], "b": [second for _, second in rows]})


def many(count: int) -> list[tuple[str, str]]:
    return [(f"document number {index}", str(index % 7)) for index in range(count)]


def test_the_split_is_the_same_on_every_machine_and_in_every_release() -> None:
    """A split that moves rows between train and test makes old and new models incomparable: these values are for good."""
    assert hash_strings(StringArray.from_list(["", "a", "12345678", "123456789", "ü漢😀"])).tolist() == GOLDEN_HASHES
    assert "".join(map(str, places(many(60)))) == GOLDEN_PLACES


@given(ROWS, st.randoms(use_true_random=False))
def test_equal_rows_are_in_the_same_place_wherever_they_stand(rows: list[tuple[str, str]], random: Random) -> None:
    expected = dict(zip(rows, places(rows), strict=True))
    shuffled = [*rows, *rows]
    random.shuffle(shuffled)

    assert places(shuffled) == [expected[row] for row in shuffled]


@given(TEXT, TEXT)
def test_the_place_depends_on_which_column_holds_what(first: str, second: str) -> None:
    hashes = hash_strings(StringArray.from_list([first, second, first + second]))

    assert (hashes[0] == hashes[1]) == (first == second)
    assert (hashes[2] == hashes[0]) == (second == "")


def test_shares_are_what_the_spec_says() -> None:
    shares = np.bincount(places(many(20_000), SplitSpec(train=0.7, validation=0.2, test=0.1)), minlength=3) / 20_000

    assert np.abs(shares - [0.7, 0.2, 0.1]).max() < 0.01


def test_a_share_of_zero_gets_no_row() -> None:
    assert set(places(many(2000), SplitSpec(train=0.9, validation=0.0, test=0.1))) == {0, 2}


def test_another_seed_gives_another_split() -> None:
    rows = many(500)

    assert places(rows, SplitSpec(seed=1)) != places(rows, SplitSpec(seed=2))
    assert places(rows, SplitSpec(seed=2**70)) == places(rows, SplitSpec(seed=2**70))


def test_words_that_differ_in_their_last_bytes_only_do_not_collide() -> None:
    values = [f"{index:07d}{letter}{index:07d}{letter}" for index in range(5000) for letter in "xyz"]

    assert len(set(hash_strings(StringArray.from_list(values)).tolist())) == len(values)


def test_a_position_on_a_bound_belongs_to_the_channel_after_it() -> None:
    bounds = bounds_of(SplitSpec(train=0.5, validation=0.25, test=0.25))

    assert channels_of(np.array([0.0, 0.5, 0.75]), bounds).tolist() == [0, 1, 2]


SPLITS = st.tuples(st.floats(0.01, 0.9), st.floats(0, 0.9)).map(
    lambda shares: SplitSpec(
        train=shares[0], validation=(1 - shares[0]) * shares[1], test=1 - shares[0] - (1 - shares[0]) * shares[1], seed=3
    )
)


@given(SPLITS, st.lists(st.floats(0, 1, exclude_max=True), min_size=1))
def test_rows_of_test_files_are_test_rows_and_rows_of_train_files_never_are(split: SplitSpec, positions: list[float]) -> None:
    somewhere = np.array([*positions, 0.0, np.nextafter(1, 0)])

    assert set(channels_of(placed(somewhere, "test", split), bounds_of(split)).tolist()) == {2}
    assert set(channels_of(placed(somewhere, "train", split), bounds_of(split)).tolist()) <= {0, 1}
    assert placed(somewhere, None, split).tolist() == somewhere.tolist()


def test_validation_rows_are_taken_out_of_train_files_by_their_share_without_test() -> None:
    block = replace(block_of_rows(many(20_000)), side="train")

    shares = np.bincount(assign(block, SplitSpec(train=0.6, validation=0.2, test=0.2)), minlength=3) / 20_000

    assert np.abs(shares - [0.75, 0.25, 0]).max() < 0.01
