from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sageline.arrays.calendar import END_SECOND, FIRST_SECOND, date_parts
from sageline.arrays.dates import BadDate, DateFormat, parse_dates, read_dates
from sageline.arrays.late_text import DictionaryArray, NumberArray
from sageline.arrays.matrix import FloatArray
from sageline.arrays.strings import StringArray

ORDERS = ("ymd", "dmy", "mdy", "yymd", "seconds", "milliseconds")


def parse(order: str, *texts: str) -> list[float]:
    return [float(second) for second in parse_dates(StringArray.from_list(texts), DateFormat(order))]


def seconds(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()  # type: ignore[misc,arg-type]  # a zone beside the parts


def strftime(form: str) -> Callable[[datetime], str]:
    return lambda moment: moment.strftime(form)


def bare(form: str) -> Callable[[datetime], str]:
    """Without the zeros that begin a day or a month."""
    return lambda moment: re.sub(r"(?<!\d)0(?=\d\D)", "", moment.strftime(form))


DAYS: dict[str, list[Callable[[datetime], str]]] = {
    "ymd": [
        *(strftime(form) for form in ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y-%b-%d", "%Y:%m:%d", "%Y年%m月%d日")),
        *(strftime(form) for form in ("%d %B %Y", "%d %b %Y", "%d-%b-%y", "%B %d, %Y", "%b %d %Y", "%a, %d %b %Y", "%d%b%Y")),
        *(strftime(form) for form in ("%A, %B %d, %Y", "%dth %B %Y", " %Y-%m-%d ", "%d/%b/%Y", "%b. %d, %Y")),
        *(bare(form) for form in ("%Y/%m/%d", "%d %B %Y", "%B %d, %Y")),
        lambda moment: moment.strftime("%d %b %Y").upper(),
    ],
    "dmy": [
        *(strftime(form) for form in ("%d.%m.%Y", "%d-%m-%Y", "%d/%m/%Y", "%d.%m.%y", "%d-%m-%y", "%d. %m. %Y")),
        *(bare(form) for form in ("%d.%m.%Y", "%d/%m/%y", "%d. %m. %Y")),
    ],
    "mdy": [*(strftime(form) for form in ("%m/%d/%Y", "%m-%d-%y")), *(bare(form) for form in ("%m/%d/%Y", "%m/%d/%y"))],
    "yymd": [*(strftime(form) for form in ("%y-%m-%d", "%y/%m/%d", "%y.%m.%d"))],
}
"""Ways to write a day, by the order that reads them; those of the first are read in all orders."""

TIMES = [
    *(strftime(form) for form in ("%H:%M:%S", "%H:%M:%SZ", "%H:%M:%S+00:00", "%I:%M:%S %p", "%I:%M:%S%p", "%H:%M:%S UTC")),
    *(strftime(form) for form in ("%H:%M:%S.000", "%H:%M:%S.000000Z", "%H:%M:%S GMT", "%H:%M:%S -0000")),
    lambda moment: moment.strftime("%I:%M:%S %p").lower().removeprefix("0").replace("m", ".m."),
    lambda moment: (moment + timedelta(hours=2)).strftime("%H:%M:%S") + "+02:00" if moment.hour < 22 else "23:59:59",
    strftime("%I:%M:%S\u202f%p"),
]

SHORT_YEARS = st.datetimes(datetime(1969, 1, 1), datetime(2068, 12, 31, 23, 59, 59))


@pytest.mark.parametrize(("order", "write"), [(order, write) for order, forms in DAYS.items() for write in forms])
@settings(max_examples=10)
@given(moments=st.lists(SHORT_YEARS, min_size=1, max_size=12))
def test_a_day_is_read_back_in_every_form(order: str, write: Callable[[datetime], str], moments: list[datetime]) -> None:
    expected = [moment.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC).timestamp() for moment in moments]

    assert parse(order, *map(write, moments)) == expected
    if order == "ymd":
        assert parse("dmy", *map(write, moments)) == parse("mdy", *map(write, moments)) == expected


@given(
    st.lists(SHORT_YEARS, min_size=1, max_size=12),
    st.sampled_from([(order, write) for order, forms in DAYS.items() for write in forms]),
    st.sampled_from(["T", " ", ", ", "  "]),
    st.sampled_from(TIMES[:11]),
)
def test_a_day_and_a_time_are_read_back(
    moments: list[datetime], day: tuple[str, Callable[[datetime], str]], gap: str, write_time: Callable[[datetime], str]
) -> None:
    texts = [day[1](moment).strip() + gap + write_time(moment) for moment in moments]

    assert parse(day[0], *texts) == [moment.replace(microsecond=0, tzinfo=UTC).timestamp() for moment in moments]


@given(st.lists(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)), max_size=12), st.integers(-1439, 1439))
def test_iso_dates_of_all_years_and_zones_are_read_to_the_microsecond(moments: list[datetime], minutes: int) -> None:
    zoned = [moment.replace(tzinfo=timezone(timedelta(minutes=minutes))) for moment in moments]
    since = datetime(1970, 1, 1, tzinfo=UTC)
    whole, parts = [(moment - since) // timedelta(seconds=1) for moment in zoned], [moment.microsecond for moment in zoned]

    for gap, spec in (("T", "auto"), (" ", "microseconds")):
        expected = [second + part / 10**6 for second, part in zip(whole, parts, strict=True)]
        assert parse("ymd", *(moment.isoformat(gap, spec) for moment in zoned)) == expected


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("20210530T120030Z", (2021, 5, 30, 12, 0, 30)),
        ("20210530120030", (2021, 5, 30, 12, 0, 30)),
        ("20210530.0", (2021, 5, 30)),
        ("2021-05", (2021, 5, 1)),
        ("05/2021", (2021, 5, 1)),
        ("May 2021", (2021, 5, 1)),
        ("2021-05-30T14:00+02", (2021, 5, 30, 12)),
        ("30/May/2021:14:00:30 +0200", (2021, 5, 30, 12, 0, 30)),
        ("Sun May 30 12:00:30 2021", (2021, 5, 30, 12, 0, 30)),
        ("Sun May 30 14:00:30 +0200 2021", (2021, 5, 30, 12, 0, 30)),
        ("Sun May 30 2021 14:00:30 GMT+0200 (Central European Summer Time)", (2021, 5, 30, 12, 0, 30)),
        ("5 Sept 2021 12:00 AM", (2021, 9, 5)),
        ("2021-05-30 12:05 PM", (2021, 5, 30, 12, 5)),
        ("01-Jan-68", (2068, 1, 1)),
        ("01-Jan-69", (1969, 1, 1)),
    ],
)
def test_other_forms(text: str, parts: tuple[int, ...]) -> None:
    assert parse("ymd", text) == parse("mdy", *[text] * 9)[:1] == [seconds(*parts)]


@pytest.mark.parametrize("text", ["", " ", "NA", "n/a", "-", "null", "unbekannt", "\u2014", "?", " None "])
def test_what_stands_for_a_missing_date(text: str) -> None:
    for others in ([], ["2021-05-30"] * 9):
        for order in ORDERS[:4]:
            assert math.isnan(parse(order, *others, text)[-1])
    assert [math.isnan(second) for second in parse("seconds", "1", text, *"23456")][:2] == [False, True]


WRONG = {
    "2021-02-31": "'2021-02-31' is no day of the calendar when it is read day before month, as the others are",
    "29.02.2100": "'29.02.2100' is no day of the calendar when it is read day before month, as the others are",
    "05/30/2021": "'05/30/2021' is no day of the calendar when it is read day before month, as the others are",
    "31 Jun 2021": "'31 Jun 2021' is no day of the calendar",
    "0000-01-01": "'0000-01-01' is no day of the calendar when it is read day before month, as the others are",
    "2021-05-30 24:00": "'2021-05-30 24:00' has a time of day that does not exist",
    "2021-05-30 13:00 PM": "'2021-05-30 13:00 PM' has a time of day that does not exist",
    "2021-05-30 12:60": "'2021-05-30 12:60' has a time of day that does not exist",
    "0001-01-01T00:00+01:00": "'0001-01-01T00:00+01:00' has a time of day that does not exist",
    **{
        text: f"{text!r} is no date"
        for text in (
            "soon",
            "12:30",
            "2021",
            "1622376000",
            "30 Mai 2021",
            "30 mare 2021",
            "2021-05/30",
            "3.5",
            "2021-5-123",
            "\u0661",
        )
    },
    "x" * 200: f"'{'x' * 57}...' is no date",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_date_is_named(text: str) -> None:
    for others in ([], ["30.05.2021", "2021-05-30 12:30", "2021-05-30 12:30 PM", "", "3 June 2021", "30 May 2021", "5/3/2021"]):
        with pytest.raises(BadDate) as caught:
            parse("dmy", *others, text, "nor this")

        assert (caught.value.index, caught.value.problem) == (len(others), WRONG[text])


def test_a_date_that_has_several_meanings_is_read_in_the_columns_order_only() -> None:
    assert parse("dmy", "03.04.2021") == parse("mdy", "04/03/2021") == parse("yymd", "21-04-03") == [seconds(2021, 4, 3)]
    with pytest.raises(BadDate, match="is no date as the others are written, year first"):
        parse("ymd", "03.04.2021")
    with pytest.raises(BadDate, match="is no date as the others are written, year, month, day, with two digits each"):
        parse("yymd", "03.04.2021")


def test_unreadable_dates_are_listed_where_they_may_be_missing() -> None:
    column = StringArray.from_list(["30.05.2021", "x", "31.02.2021", "na", "1.6.2021 12:00Z"])

    dates = read_dates(column, DateFormat("dmy"))

    assert dates.unreadable.tolist() == [1, 2]
    assert np.isnan(dates.seconds).tolist() == [False, True, True, True, False]
    assert dates.has_zone
    assert not read_dates(column.take(np.arange(4)), DateFormat("dmy")).has_zone


def test_seconds_and_milliseconds_since_1970_are_numbers_of_a_file_or_of_a_request() -> None:
    expected = [0.0, -86400.0, 1622376000.25]

    assert (
        parse("seconds", "0", " -86400", "1622376000.25") == parse("seconds", *"0" * 9, "-86400", "1622376000.25")[8:] == expected
    )
    assert parse("milliseconds", "0", "-86400000", "1622376000250") == expected
    request = NumberArray(np.array([0, np.nan, 1622376000250]), lambda: StringArray.from_list(["0", "", "1622376000250"]))
    assert parse_dates(request, DateFormat("milliseconds"))[[0, 2]].tolist() == [0.0, 1622376000.25]
    for wrong in ("2021-05-30", "1e300", "99999999999999", "inf"):
        with pytest.raises(BadDate, match=f"'{wrong}' is no number of seconds since 1970"):
            parse("seconds", wrong)
        with pytest.raises(BadDate, match=f"'{wrong}' is no number of seconds since 1970"):
            parse("seconds", *"123456", wrong)


PIECES = st.sampled_from(
    [*"0123456789", *"0123456789", *"-/.: T,+Z", *"aApP", "12", "30", "2021", "05", "may", "Jun", "AM", "\u00a0", "é", "st", "\n"]
)
LIKELY = st.one_of(
    st.lists(PIECES, max_size=9).map("".join),
    st.tuples(SHORT_YEARS, st.sampled_from([write for forms in DAYS.values() for write in forms]), st.sampled_from(TIMES))
    .map(lambda drawn: f"{drawn[1](drawn[0])} {drawn[2](drawn[0])}"),
    st.from_regex(r"\A[0-3]?\d[-./][0-3]?\d[-./](\d\d)?\d\d( [0-2]\d:[0-6]\d(:[0-6]\d)?( ?[APap]M)?)?\Z"),
    st.sampled_from(["", "NA", "?", "2021-05-30", "30.02.2021", "x" * 90, " " * 90, *WRONG]),
)  # fmt: skip


@given(st.lists(LIKELY, max_size=40), st.sampled_from(ORDERS))
def test_a_column_is_read_as_its_values_one_by_one(texts: list[str], order: str) -> None:
    column = StringArray.from_list(texts)
    whole = read_dates(column, DateFormat(order))
    single = [read_dates(StringArray.from_list([text]), DateFormat(order)) for text in texts]

    assert whole.seconds.tolist() == pytest.approx([one.seconds[0] for one in single], rel=0, abs=0, nan_ok=True)
    assert whole.unreadable.tolist() == [index for index, one in enumerate(single) if len(one.unreadable)]
    assert whole.has_zone == any(one.has_zone for one in single)
    indices = np.arange(len(texts))[::-1].repeat(2)
    twice, again = (
        read_dates(DictionaryArray(column, indices), DateFormat(order)),
        read_dates(column.take(indices), DateFormat(order)),
    )
    assert np.array_equal(twice.seconds, again.seconds, equal_nan=True)
    assert (twice.unreadable.tolist(), twice.has_zone) == (again.unreadable.tolist(), again.has_zone)


def test_many_shapes_and_many_chunks_are_read_alike() -> None:
    texts = [f"{day}.{month}.{year}{' 12:00' * (year % 2)}" for year in range(1900, 2100) for month in (1, 11) for day in (3, 28)]
    texts = (texts + [f"{'ab' * (n % 7)}{n}{'cd' * (n % 5)}" for n in range(900)] + ["-"]) * 12
    dates = read_dates(StringArray.from_list(texts), DateFormat("dmy"))

    known = {text: parse("dmy", text)[0] for text in texts[:800]}
    for index in (0, 1, 799, 800, 1600, 1700, 9000, 20000):
        if index in dates.unreadable:
            assert texts[index] not in known
        else:
            assert dates.seconds[index] == pytest.approx(known.get(texts[index], math.nan), nan_ok=True)
    assert len(dates.unreadable) == 900 * 12


def test_a_format_is_kept_in_json() -> None:
    date_format = DateFormat("dmy", has_time=True)

    assert DateFormat(*json.loads(json.dumps(date_format))) == date_format


EDGES = [FIRST_SECOND, -1.0, -0.5, 0.0, 86_399.999, 951_782_400.0, 1_622_376_000.0, 4_107_542_400.0, END_SECOND - 1.0]


@given(st.lists(st.one_of(st.sampled_from(EDGES), st.floats(FIRST_SECOND, END_SECOND - 1), st.just(math.nan)), max_size=12))
def test_the_parts_of_a_date(moments: list[float]) -> None:
    parts = date_parts(np.array(moments, dtype=np.float64))

    expected: list[list[float]] = []
    for moment in moments:
        if math.isnan(moment):
            expected.append([math.nan] * 7)
            continue
        then = datetime(1970, 1, 1) + timedelta(seconds=math.floor(moment))
        days = math.floor(moment) // 86_400
        expected.append([days, then.year, then.month, then.day, then.weekday(), then.hour, then.timetuple().tm_yday])
    rows: list[FloatArray] = list(np.stack(parts).T)
    assert all(part.dtype == np.float32 for part in parts)
    assert np.array_equal(np.array(rows).reshape(-1, 7), np.array(expected).reshape(-1, 7), equal_nan=True)


@pytest.mark.slow
def test_the_parts_of_every_day() -> None:
    days = np.arange(FIRST_SECOND // 86_400, END_SECOND // 86_400)
    parts = date_parts((days * 86_400 + 7 * 3600).astype(np.float64))

    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    assert (parts.year == dates.astype("datetime64[Y]").astype(np.int64) + 1970).all()
    assert (parts.month == months.astype(np.int64) % 12 + 1).all()
    assert (parts.day == (dates - months).astype(np.int64) + 1).all()
    assert (parts.weekday == (days + 3) % 7).all()
    assert (parts.hour == 7).all()
    assert (parts.day_of_year == (dates - dates.astype("datetime64[Y]")).astype(np.int64) + 1).all()
