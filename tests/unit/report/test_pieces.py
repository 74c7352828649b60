"""Numbers, scales and markup."""

from __future__ import annotations

import math
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.report.drawing import figures
from sageline.report.drawing.markup import Markup, element, join
from sageline.report.drawing.plot import frame
from sageline.report.drawing.scale import Scale, round_bounds, tick_labels
from tests.unit.report.reading import overlapping, pictures

NUMBERS = st.floats(-1e12, 1e12, allow_nan=False).filter(lambda value: value == 0 or abs(value) > 1e-9)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "\N{EN DASH}"), (0, "0"), (12345, "12,345"), (12345.678, "12,345.7"), (0.91324, "0.9132"),
        (-0.5, "\N{MINUS SIGN}0.5"),
        (1.2346e-7, "1.235e-07"), (2.5e12, "2,500,000,000,000"), (1.5e15, "1.5e+15"), (math.inf, "∞"), (math.nan, "not a number"),
    ],
)  # fmt: skip
def test_a_number_is_short_and_exact_enough(value: float | None, text: str) -> None:
    assert figures.number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.44, "0.4 s"), (12.4, "12 s"), (59.7, "1 min 00 s"), (200, "3 min 20 s"), (7500, "2 h 05 min"), (None, "\N{EN DASH}")],
)
def test_a_duration_is_read_at_a_glance(seconds: float | None, text: str) -> None:
    assert figures.seconds(seconds) == text


def test_moments_and_counts() -> None:
    assert figures.moment("2026-11-20T10:00:00.123Z") == "2026-11-20 10:00 UTC"
    assert figures.moment("yesterday") == "yesterday"
    assert (figures.count(1, "row"), figures.count(2000, "row"), figures.count(2, "class", "classes")) == (
        "1 row",
        "2,000 rows",
        "2 classes",
    )
    assert figures.as_number(True) is None


def test_a_difference_has_its_sign() -> None:
    values = (0.073, -0.1937, 0.00051, -2e-6, 1234.56, 0.0, None)

    minus = "\N{MINUS SIGN}"
    assert [figures.signed(value) for value in values] == [
        "+0.0730", f"{minus}0.1937", "+0.0005", f"{minus}2e-06", "+1,234.6", "0", "\N{EN DASH}",
    ]  # fmt: skip


@given(st.lists(NUMBERS, max_size=20), st.booleans())
def test_round_bounds_hold_all_values(values: list[float], zero: bool) -> None:
    low, high = round_bounds(values, zero=zero)

    room = 1e-9 * max(abs(low), abs(high))
    assert low < high
    assert all(low - room <= value <= high + room for value in values)
    assert not zero or low <= 0 <= high


@given(NUMBERS, NUMBERS, st.integers(2, 9), st.booleans())
def test_ticks_are_within_the_scale_evenly_spaced_and_told_apart(one: float, other: float, most: int, whole: bool) -> None:
    low, high = sorted((round(one), round(other)) if whole else (one, other))
    if high - low <= 1e-6 * max(abs(low), abs(high), 1e-12):
        return
    scale = Scale(low, high, 50, 400, whole)

    ticks = scale.ticks(most)

    room = 1e-6 * (high - low)
    assert 1 <= len(ticks) <= most
    assert all(low - room <= tick <= high + room for tick in ticks)
    assert not whole or all(tick == int(tick) for tick in ticks)
    assert all(49 <= scale(tick) <= 401 for tick in ticks)


@pytest.mark.parametrize(
    ("ticks", "labels"),
    [
        ([0.0, 0.5, 1.0], ["0.0", "0.5", "1.0"]), ([0, 10000, 20000], ["0", "10k", "20k"]), ([0, 2.5e6], ["0.0", "2.5M"]),
        ([-50, 0], ["\N{MINUS SIGN}50", "0"]), ([0, 2e-5], ["0", "2e\N{MINUS SIGN}05"]), ([1, 2], ["1", "2"]),
    ],
)  # fmt: skip
def test_labels_of_ticks_have_as_many_decimals_as_the_finest_needs(ticks: list[float], labels: list[str]) -> None:
    assert tick_labels(ticks) == labels


@given(st.lists(NUMBERS, min_size=2, max_size=5), st.lists(NUMBERS, min_size=2, max_size=5))
def test_axes_over_any_numbers_have_no_overlapping_labels(xs: list[float], ys: list[float]) -> None:
    plot = frame(round_bounds(xs), round_bounds(ys), "x", "y")

    [picture] = pictures(plot.draw("a plot"))

    assert overlapping(picture) == []
    assert sum(1 for _ in picture.iter("text")) >= 2 + 2


@given(st.text())
def test_text_comes_back_as_it_was_and_is_never_markup(text: str) -> None:
    made = element("p", text, title=text)

    inside = made.removeprefix("<p title=").removesuffix("</p>")
    assert "<" not in inside
    attribute, _, content = inside.partition(">")
    kept = "".join(
        character if character in "\t\n\r" or ord(character) >= 32 else "\N{REPLACEMENT CHARACTER}" for character in text
    )
    assert unescape(content) == kept
    assert unescape(attribute) == f'"{kept}"'


def test_markup_is_taken_as_it_is_and_nothing_is_left_out_but_none() -> None:
    assert join([Markup("<b>"), "<b>", 0, None, 1.25]) == "<b>&lt;b&gt;01.2"
    assert element("td", class_="x", colspan=2, aria_label=None) == '<td class="x" colspan="2"></td>'
    assert element("meta", charset="utf-8") == '<meta charset="utf-8">'
