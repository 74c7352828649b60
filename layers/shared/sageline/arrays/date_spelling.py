"""How dates are spelled: the forms that are read, and where in a text of a form the year, month, day and time are.

In the regular expression of a form one digit is as good as another, so it fits a text's *shape* too: the text in lower case, with
a zero for each digit. Texts of one shape are read alike, which :mod:`sageline.arrays.date_layout` does for all of them at once.
"""

from __future__ import annotations

import functools
import re

from sageline.arrays.calendar import DAY, END_SECOND, FIRST_SECOND, days_of

Spans = dict[str, tuple[int, int]]
"""Where the parts of a date are in its text, by their names in :data:`_FORMS`: start and end, in bytes."""

ORDERS = {"dmy": ("day", "month", "year"), "mdy": ("month", "day", "year"), "yymd": ("year", "month", "day")}
"""What the three numbers of a date may be whose year does not stand first with four digits; in the last one it has two."""

MOST_BYTES = 80  # of a date; the longest is that of a browser, with the name of its time zone
SHORT_MONTHS = (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec")
PIVOT = 69  # as in POSIX: a year of two digits is one of 1969 to 2068

_BLANK = rb"(?:[ \t]|\xc2\xa0|\xe2\x80\xaf)"  # also those that do not break: U+00A0, U+202F
_EDGE = rb"(?:[ \t\r\n\v\f]|\xc2\xa0|\xe2\x80\xaf)*"
_NAME = (
    rb"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?"
    rb"|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAY = rb"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?[.,]{0,2}" + _BLANK + rb")"
_ZONE = (
    rb"(?:" + _BLANK + rb"?(?P<zone>z|utc|gmt|(?:utc|gmt)?(?P<sign>[+-])(?P<zone_hour>\d\d?):?(?P<zone_minute>\d\d)?)"
    rb"(?:" + _BLANK + rb"\([a-z ]+\))?)?"
)
_FRACTION = rb"(?:[.,](?P<fraction>\d{1,9}))?"
_TIME = (
    rb"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)" + _FRACTION + rb")?"
    rb"(?:" + _BLANK + rb"?(?P<half>[ap])\.?m\.?)?" + _ZONE
)


def _then_time(signs: bytes = b"") -> bytes:
    """A time that may follow a date, with what stands between them; ``signs`` may do so, too."""
    return rb"(?:(?:[t," + signs + rb"]|,?" + _BLANK + rb"{1,2})" + _TIME + rb")?"


_YEAR, _YEAR_OR_SHORT = rb"(?P<year>\d{4})", rb"(?P<year>\d{4}|\d\d)"
_MONTH, _DAY = rb"(?P<month>\d{1,2})", rb"(?P<day>\d{1,2})"
_COMPACT = _YEAR + rb"(?P<month>\d\d)(?P<day>\d\d)"
_NTH_DAY = _DAY + rb"(?:st|nd|rd|th)?"
_FORMS = (
    _YEAR + rb"(?P<gap>[-/.: ])" + _MONTH + rb"(?P=gap)" + _DAY + _then_time(),
    rb"(?P<first>\d{1,2})(?P<gap>[-/.]|\. )(?P<second_one>\d{1,2})(?P=gap)(?P<third>\d{4}|\d\d)" + _then_time(),
    _COMPACT + rb"(?:\.0)?" + _then_time(),
    _COMPACT + rb"[t ]?(?P<hour>\d\d)(?P<minute>\d\d)(?:(?P<second>\d\d)" + _FRACTION + rb")?(?:\.0)?" + _ZONE,
    _WEEKDAY + rb"?" + _NTH_DAY + rb"[-/. ]?" + _NAME + rb"(?:, |[-/ ])?" + _YEAR_OR_SHORT + _then_time(b":"),
    _WEEKDAY + rb"?" + _NAME + rb"[-/ ]" + _NTH_DAY + rb"(?:, ?|[-/ ])" + _YEAR + _then_time(),
    _WEEKDAY + _NAME + rb" {1,2}" + _DAY + rb" " + _TIME + rb" " + _YEAR,
    _YEAR + rb"[-/. ]" + _NAME + rb"[-/. ]" + _DAY + _then_time(),
    _YEAR + "\u5e74".encode() + _MONTH + "\u6708".encode() + rb"(?:" + _DAY + "\u65e5".encode() + _then_time() + rb")?",
    _YEAR + rb"[-/](?P<month>\d\d)",
    rb"(?P<month>\d\d)[-/]" + _YEAR,
    _NAME + rb"[-/ ]" + _YEAR,
)
"""Dates in lower case. A date without a day is the first of its month; one without a zone is in UTC."""


@functools.cache
def _form(form: bytes) -> re.Pattern[bytes]:
    """Compiled when it is first needed: all of them take some milliseconds, and most columns need the first alone."""
    return re.compile(_EDGE + form + _EDGE)


def spans_of(text: bytes, order: str) -> Spans | None:
    """Where the parts of a date are; None for what is no date in the order (:data:`ORDERS`; another one reads those dates only
    that mean the same in every order).

    Args:
        text: in lower case; or its shape.
    """
    if len(text) > MOST_BYTES:
        return None
    match = next(filter(None, (_form(form).fullmatch(text) for form in _FORMS)), None)
    if match is None:
        return None
    spans = {name: match.span(name) for name, part in match.groupdict().items() if part is not None}
    if "first" not in spans:
        return spans
    places = ORDERS.get(order)
    numbers = [spans.pop("first"), spans.pop("second_one"), spans.pop("third")]
    is_short_first = [end - start for start, end in (numbers[0], numbers[2])] == [2, 2]
    if places is None or (places[0] == "year" and not is_short_first):
        return None
    return spans | dict(zip(places, numbers, strict=True))


def full_year(year: int) -> int:
    """The year that two digits stand for."""
    return year + (1900 if year >= PIVOT else 2000)


def seconds_of(text: bytes, spans: Spans) -> float | None:
    """The seconds since 1970 of a date in lower case; None when there is no such day or time."""
    number = {name: int(text[slice(*span)]) for name, span in spans.items() if name not in _SIGNS}
    if "name" in spans:
        number["month"] = month_of(text, spans)
    year = number["year"]
    if spans["year"][1] - spans["year"][0] == 2:
        year = full_year(year)
    days = days_of(year, number["month"], number.get("day", 1))
    if days is None:
        return None
    hour, minute, second = number.get("hour", 0), number.get("minute", 0), number.get("second", 0)
    if "half" in spans:
        if hour > 12:
            return None
        hour = hour % 12 + (12 if text[spans["half"][0]] == ord("p") else 0)
    zone_hour, zone_minute = number.get("zone_hour", 0), number.get("zone_minute", 0)
    if hour > 23 or max(minute, second, zone_minute) > 59 or zone_hour > 23:
        return None
    total = days * DAY + hour * 3600 + minute * 60 + second
    total -= zone_sign(text, spans) * (zone_hour * 3600 + zone_minute * 60)
    if not FIRST_SECOND <= total < END_SECOND:  # by its zone
        return None
    if "fraction" not in spans:
        return float(total)
    start, end = spans["fraction"]
    return total + number["fraction"] / float(10 ** (end - start))


_SIGNS = ("gap", "name", "half", "zone", "sign")
"""The parts that are no numbers."""


def month_of(text: bytes, spans: Spans) -> int:
    """The month whose name it has."""
    start = spans["name"][0]
    return SHORT_MONTHS.index(text[start : start + 3]) + 1


def zone_sign(text: bytes, spans: Spans) -> int:
    """1 for a zone east of Greenwich, -1 for one in the west, 0 without one."""
    if "sign" not in spans:
        return 0
    return 1 if text[spans["sign"][0]] == ord("+") else -1
