from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from sageline.arrays.factors import factors, first_of_each
from sageline.arrays.late_text import DictionaryArray
from sageline.arrays.strings import StringArray

NUMBERS = st.lists(st.integers(0, 2**64 - 1) | st.sampled_from([0, 1, 2, 2**63]), max_size=30)


@given(NUMBERS)
@example(list(range(3000)) * 2)  # all of which ask for the same slot at first
@example([number << 52 for number in range(3000)])
def test_each_number_is_found_where_it_stands_first(numbers: list[int]) -> None:
    firsts, codes = first_of_each(np.array(numbers, dtype=np.uint64))

    different = list(dict.fromkeys(numbers))
    assert firsts.tolist() == [numbers.index(number) for number in different]
    assert [different[code] for code in codes.tolist()] == numbers


def test_thousands_of_strings_are_told_apart() -> None:
    texts = [f"value {number % 7000}" for number in range(20_000)]

    values, codes = factors(StringArray.from_list(texts))

    assert values.tolist() == texts[:7000]
    assert [texts[code] for code in codes.tolist()] == texts


@given(st.lists(st.sampled_from(["a", "b", "", "long enough for two words"]), min_size=1), st.data())
def test_the_factors_of_some_rows_have_their_values_only(texts: list[str], data: st.DataObject) -> None:
    column = StringArray.from_list(texts)
    if data.draw(st.booleans()):
        column = DictionaryArray(
            StringArray.from_list(["not there", *sorted(set(texts))]), 1 + np.unique(texts, return_inverse=True)[1]
        )
    rows = np.array(data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts))), dtype=np.bool_)

    values, codes = factors(column).take(rows)

    expected = [text for text, is_taken in zip(texts, rows.tolist(), strict=True) if is_taken]
    assert [values[code] for code in codes.tolist()] == expected
    assert sorted(values.tolist()) == sorted(set(expected))
