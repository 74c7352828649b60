from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sageline.arrays.dates import DateFormat, read_dates
from sageline.arrays.late_text import DictionaryArray
from sageline.arrays.numbers import read_cells
from sageline.arrays.strings import StringArray
from sageline.dataset import date_profile
from sageline.dataset.date_profile import DateProfile
from sageline.dataset.profiles.examples import Example


def profile_of(texts: list[str], name: str = "x", cuts: tuple[int, ...] = (), *, as_dictionary: bool = False) -> DateProfile:
    """Of these values from row 1 on, added in blocks that end at the cuts."""
    profile = DateProfile(name)
    bounds = [0, *sorted(cut % (len(texts) + 1) for cut in cuts), len(texts)]
    for start, end in pairwise(bounds):
        column = StringArray.from_list(texts[start:end])
        if as_dictionary:
            different = sorted(set(texts))
            indices = np.array([different.index(text) for text in texts[start:end]], dtype=np.int64)
            column = DictionaryArray(StringArray.from_list(different), indices)
        profile.add(column, read_cells(column), np.arange(start + 1, end + 1))
    return profile


@pytest.mark.parametrize(
    ("texts", "order", "reason"),
    [
        (["2021-05-30", "2021-06-01"], "ymd", "dates, such as 2021-05-30 (row 1)"),
        (["30 May 2021", "June 1, 2021", "2021/5/30"], "ymd", "dates, such as 30 May 2021 (row 1)"),
        (["01.02.2021", "30.05.2021"], "dmy", "dates, day before month, as 30.05.2021 (row 2) says"),
        (["1/2/2021", "30/5/2021"], "dmy", "dates, day before month, as 30/5/2021 (row 2) says"),
        (["01.02.2021", "5/30/21"], "mdy", "dates, month before day, as 5/30/21 (row 2) says"),
        (["2021-05-30", "30.05.2021"], "dmy", "dates, day before month, as 30.05.2021 (row 2) says"),
        (["99-05-30", "98-12-31"], "yymd", "dates, year, month, day, with two digits each, as 99-05-30 (row 1) says"),
    ],
)
def test_the_order_is_what_a_value_says(texts: list[str], order: str, reason: str) -> None:
    profile = profile_of(texts)

    assert profile.is_date
    assert (profile.format(), profile.reason, profile.contradiction) == (DateFormat(order), reason, None)
    assert not profile.is_ambiguous


@pytest.mark.parametrize(
    ("texts", "order", "read"),
    [
        (["03.04.2021", "05.06.2021"], "day before month", "03.04.2021 (row 1) is read as 2021-04-03"),
        (["03-04-2021", "05-06-2021"], "day before month", "03-04-2021 (row 1) is read as 2021-04-03"),
        (["2021-01-01", "3/4/2021", "5/6/2021"], "month before day", "3/4/2021 (row 2) is read as 2021-03-04"),
    ],
)
def test_where_no_value_says_the_order_it_is_the_usual_one_and_said_to_be_a_guess(
    texts: list[str], order: str, read: str
) -> None:
    profile = profile_of(texts)

    assert profile.is_ambiguous
    assert profile.format().order == {"day before month": "dmy", "month before day": "mdy"}[order]
    assert profile.reason.startswith(f"dates, taken for {order}, as is usual with")
    assert profile.reason.endswith(f", because no value tells: {read}")


def test_the_order_that_somebody_says_is_taken_where_it_matters_and_fits() -> None:
    doubtful = profile_of(["03.04.2021", "05.06.2021"]).read_as("mdy")
    assert (doubtful.format().order, doubtful.is_ambiguous) == ("mdy", False)
    assert doubtful.reason == "dates, month before day, as the spec says"
    assert doubtful.minimum == datetime(2021, 3, 4, tzinfo=UTC).timestamp()

    assert profile_of(["2021-05-30"]).read_as("mdy").format().order == "ymd"
    assert profile_of(["1622332800", "1622376000"], "created").read_as("mdy").format().order == "seconds"
    assert profile_of(["03.04.2021", "30.05.2021"]).read_as("mdy").contradiction == (
        "30.05.2021 (row 2) is no date with the month before the day, as the spec says"
    )


def test_a_year_of_two_digits_is_the_number_that_differs_least() -> None:
    year_first = [f"{year}-{month:02}-{day:02}" for year in (20, 21) for month in (1, 7) for day in range(1, 29)]
    year_last = ["-".join(reversed(text.split("-"))) for text in year_first]

    assert profile_of(year_first).format().order == "yymd"
    assert profile_of(year_last).format().order == "dmy"


def test_an_order_that_contradicts_itself_is_said_with_both_rows() -> None:
    profile = profile_of(["01.02.2021", "30.05.2021", "03.04.2021", "12.31.2021", "29.05.2021"])

    assert profile.is_date
    assert profile.format().order == "dmy"
    assert profile.contradiction == (
        "30.05.2021 (row 2) is a date with the day before the month, 12.31.2021 (row 4) one with the month before the day; "
        "write all dates alike, best as 2021-05-30"
    )
    assert profile.reason == ("dates, day before month, as 30.05.2021 (row 2) and most others say; 12.31.2021 (row 4) does not")


@pytest.mark.parametrize(
    ("texts", "order", "has_time"),
    [
        (["20210530", "19000101"], "ymd", False),
        (["20210530.0", ""], "ymd", False),
        (["20210530123000", "20210530120000"], "ymd", True),
        (["1622332800", "1622376000"], "seconds", True),
        (["1622332800.0", "", "1622419200.0"], "seconds", False),
        (["1622332800000", "1622376000000"], "milliseconds", True),
    ],
)
def test_numbers_are_dates_where_the_name_says_so(texts: list[str], order: str, has_time: bool) -> None:
    for name in ("order_date", "timestamp", "createdAt"):
        profile = profile_of(texts, name)
        assert profile.is_date
        assert profile.format() == DateFormat(order, has_time)
        assert "as its name" in profile.reason
    assert not profile_of(texts, "amount").is_date


@pytest.mark.parametrize(
    "texts",
    [
        ["2021", "1999"],
        ["20210530", "20211330"],
        ["20210530", "18000101"],
        ["20210530", "12"],
        ["1622376000", "12"],
        ["1622376000", "1622376000000"],
        ["1622376000.5", "1622376001"],
        ["202105", "202106"],
    ],
)
def test_other_numbers_are_numbers_whatever_the_name_says(texts: list[str]) -> None:
    assert not profile_of(texts, "date").is_date


@pytest.mark.parametrize(
    "texts", [["foo"], ["1.2.3", "1.2.4"], ["10.0.0.1"], ["2021-05-30 is the day"], ["NA", ""], ["44-55-66"], []]
)
def test_other_texts_are_no_dates(texts: list[str]) -> None:
    profile = profile_of(texts, "date")

    assert not profile.is_date
    assert profile.reason == ""


def test_times_of_day_are_no_dates_and_said_to_be_times_of_day() -> None:
    profile = profile_of(["12:30", "1:05 pm", "12:30:15"])

    assert not profile.is_date
    assert profile.reason.startswith("times of day without a date, as 12:30 (row 1)")


def test_missing_values_and_mistakes_do_not_make_a_column_another_one() -> None:
    profile = profile_of(["30.05.2021"] * 40 + ["", "NA", " ", "-"] * 20 + ["soon", "31.02.2021"])

    assert profile.is_date
    assert (profile.missing, profile.odd) == (80, 2)
    assert profile.odd_values == [Example("soon", 121), Example("31.02.2021", 122)]
    assert not profile_of(["30.05.2021"] * 40 + ["soon"] * 5).is_date


def test_times_zones_and_the_range() -> None:
    profile = profile_of(["2021-05-30T12:00:00+02:00", "2020-01-01", "NA"])

    assert (profile.has_time, profile.has_zone, profile.format().has_time) == (True, True, True)
    assert profile.minimum == datetime(2020, 1, 1, tzinfo=UTC).timestamp()
    assert profile.maximum == datetime(2021, 5, 30, 10, tzinfo=UTC).timestamp()
    assert profile.reason.endswith("; times are converted to UTC")
    assert profile_of(["2021-05-30 12:00"]).reason.endswith("; times are taken for UTC")
    assert not profile_of(["2021-05-30 00:00:00"]).has_time


def test_a_column_of_something_else_is_soon_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    def counting(column: StringArray, date_format: DateFormat) -> object:
        read.append(len(column))
        return read_dates(column, date_format)

    monkeypatch.setattr(date_profile, "read_dates", counting)
    for name, texts in (("text", [f"word {n}" for n in range(5000)]), ("time", [str(n / 7) for n in range(5000)])):
        read.clear()
        assert not profile_of(texts, name).is_date
        assert sum(read) <= 4 * 500


FORMS = ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%y-%m-%d", "%Y%m%d", "%d %b %Y", "%Y-%m-%dT%H:%MZ", "%H:%M"]
DATES = st.tuples(st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)), st.sampled_from(FORMS)).map(
    lambda drawn: drawn[0].strftime(drawn[1])
)
VALUES = st.one_of(DATES, DATES, st.sampled_from(["", "NA", "x", "1622376000", "1622376000.5", "31.02.2021", "12", "word 1"]))


@settings(max_examples=60)
@given(
    st.lists(st.lists(VALUES, min_size=1, max_size=5).map(lambda some: some * 60), min_size=1, max_size=4).map(
        lambda runs: list(chain(*runs))
    ),
    st.lists(st.integers(0, 2000), max_size=4),
    st.sampled_from(["x", "date"]),
    st.booleans(),
)
def test_where_blocks_end_does_not_matter(texts: list[str], cuts: list[int], name: str, as_dictionary: bool) -> None:
    def found(profile: DateProfile) -> tuple[object, ...]:
        return (
            *(profile.is_date, profile.share, profile.format(), profile.reason, profile.contradiction, profile.is_ambiguous),
            *(profile.missing, profile.odd, profile.odd_values, profile.minimum, profile.maximum, profile.has_zone),
        )

    whole = profile_of(texts, name)
    cut = profile_of(texts, name, tuple(cuts), as_dictionary=as_dictionary)

    assert found(cut) == found(whole)


@given(st.lists(st.datetimes(datetime(1969, 1, 1), datetime(2068, 12, 31)), min_size=1, max_size=30), st.sampled_from(FORMS[:3]))
def test_a_column_that_is_found_to_be_of_dates_is_read_in_its_format(moments: list[datetime], form: str) -> None:
    texts = [moment.strftime(form) for moment in moments]
    profile = profile_of(texts)

    dates = read_dates(StringArray.from_list(texts), profile.format())
    assert profile.is_date
    assert not len(dates.unreadable)
    assert (profile.minimum, profile.maximum) == (dates.seconds.min(), dates.seconds.max())
