"""States go from one function to another as bytes that run nothing when they are read."""

from __future__ import annotations

import json
import math
import pickle
from collections import Counter
from enum import Enum
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.arrays.dates import DateFormat
from sageline.arrays.strings import StringArray
from sageline.encoder.text.counts import WordCounts
from sageline.encoder.text.word_rule import WordRule
from sageline.spec.model import SplitSpec
from sageline.storage.shards.state_codec import UnknownState, decode_state, encode_state

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers() | st.tuples(st.text(), st.booleans()), inner)
        | st.frozensets(st.text())
    ),
    max_leaves=12,
)


def through_bytes(value: object) -> Any:  # Any: what was encoded
    return decode_state(encode_state(value))


@given(PLAIN)
def test_containers_and_plain_values_come_back_as_they_were(value: object) -> None:
    found = through_bytes(value)

    assert (found, type(found)) == (value, type(value))


def test_numbers_beyond_json_come_back() -> None:
    found = through_bytes([math.inf, -math.inf, math.nan, 1 << 80, np.float64(0.1), np.int64(3), np.bool_(True)])

    assert found[:2] == [math.inf, -math.inf]
    assert math.isnan(found[2])
    assert found[3:] == [1 << 80, 0.1, 3, True]


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.uint64).reshape(2, 3),
        np.zeros((0, 5)),
        np.array([-1, 300]),
        np.array([[0, 1 << 63]], dtype=np.uint64),
        np.asfortranarray(np.arange(6, dtype=np.int32).reshape(2, 3)),
        np.array([True, False]),
        np.array([np.nan, -0.0], dtype=np.float32),
    ],
)
def test_arrays_keep_their_type_their_shape_and_every_bit(array: np.ndarray[Any, Any]) -> None:  # Any: numpy's
    found = through_bytes({"a": [array]})["a"][0]

    assert (found.dtype, found.shape, found.tobytes()) == (array.dtype, array.shape, array.tobytes())
    found[...] = 0  # what is merged into is written to


def test_what_states_hold_of_this_package_comes_back() -> None:
    value = {
        "strings": StringArray.from_list(["a", "", "ü"]),
        "named": DateFormat("ymd"),
        "enum": WordRule.BIGRAMS,
        "spec": SplitSpec(train=0.7, validation=0.2, test=0.1),
        "counter": Counter({"b": 2, "a": 1}),
    }

    found = through_bytes(value)

    assert found["strings"].tolist() == ["a", "", "ü"]
    assert {name: found[name] for name in ("named", "enum", "spec", "counter")} == {
        name: value[name] for name in ("named", "enum", "spec", "counter")
    }
    assert isinstance(found["counter"], Counter)


def test_an_object_goes_on_where_it_was() -> None:
    counts = WordCounts()
    counts.update([StringArray.from_list(["one word", "one more"])])

    found = through_bytes(counts)
    found.update([StringArray.from_list(["one"])])

    assert found.most_frequent(3) == {"one": 3, "more": 1, "word": 1}
    assert (found.documents, counts.documents) == (3, 2)


class Foreign:
    """A class of another package."""


class Colour(Enum):
    RED = 1


@pytest.mark.parametrize("value", [Foreign(), Colour.RED, Foreign, lambda: 1, np.array([{}], dtype=object)])
def test_what_is_not_of_this_package_has_no_place(value: object) -> None:
    with pytest.raises(UnknownState, match="no place in a state"):
        encode_state([value])


def test_small_numbers_take_few_bytes() -> None:
    assert len(encode_state(np.arange(200))) < 200 + 100


def packed(document: object) -> bytes:
    text = json.dumps(document).encode()
    return len(text).to_bytes(8, "little") + text


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x05\0\0\0\0\0\0\0[1, 2",
        pickle.dumps([1, 2]),
        packed({"array": ["<f8", "<f8", [4], [0, 32]]}),
        packed({"array": ["|O", "|O", [1], [0, 8]]}),
        packed({"array": ["|O", "<i8", [1], [0, 8]]}) + bytes(8),
        packed({"array": ["<i4", "<f8", [1], [0, 8]]}) + bytes(8),
        packed({"array": ["<f8", "<f8", [1], [-8, 8]]}),
        packed({"bytes": [0, -1]}),
        b"\x00\x10\0\0\0\0\0\0" + b"[" * 4096,
        packed({"object": ["os:_Environ", {}]}),
        packed({"object": ["sagelinebeside:State", {}]}),
        packed({"object": ["sageline.storage.shards.state_codec:json.JSONDecoder", {}]}),
        packed({"object": ["sageline.storage.shards.state_codec:importlib", {}]}),
        packed({"enum": ["sageline.arrays.strings:gather", 1]}),
        packed({"enum": ["sageline.preparation.second_process:multiprocessing.Process", 1]}),
        packed({"enum": ["sageline.arrays.strings:StringArray", 1]}),
        packed({"strange": ["sageline.arrays.strings:StringArray", {}]}),
    ],
)
def test_bytes_that_are_no_state_are_refused(data: bytes) -> None:
    with pytest.raises(UnknownState):
        decode_state(data)


@pytest.mark.parametrize(
    "values",
    [
        [f"word {number}" for number in range(200)],
        ["", *["é\ud800"] * 200, ""],
        ["with a \0 in it", *["none"] * 200],
        [*range(100), (1 << 64) - 1],
        [*range(100), 1 << 64],
        [-1, *range(100)],
        [True, *range(100)],
        [0.5, *range(100)],
    ],
    ids=["texts", "odd texts", "zeros", "numbers", "too large", "negative", "truth", "floats"],
)
def test_long_lists_of_one_kind_come_back(values: list[object]) -> None:
    found = through_bytes({"values": values, "by_key": dict.fromkeys(values, 1)})

    assert found == {"values": values, "by_key": dict.fromkeys(values, 1)}
    assert [*map(type, found["values"])] == [*map(type, values)]
