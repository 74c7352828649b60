"""Lines of CSV that may begin inside quotes or outside are what the reader's own scan makes of them."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sageline.dataset.ranges.quotes import LinesRead, count_lines, read_lines
from sageline.dataset.readers.csv_scan import TextAfterQuote, scan


def by_scan(text: bytes, *, inside: bool, is_last: bool) -> LinesRead:
    """The same by the reader's scan: a text with a quote before it is one that begins inside quotes."""
    starts = [0, *(place + 1 for place, byte in enumerate(text[:-1]) if byte == 0x0A)]
    first = next((start for start in starts if is_outside(text[:start], inside)), None)
    try:
        found = scan(b'"' * inside + text, b",", final=is_last, cr_ends=False)
    except TextAfterQuote as error:
        return LinesRead(first, rows=0, ends_inside=False, broken=error.offset - inside)
    records = {int(start) - inside for start in found.starts[found.first_fields]}
    if found.open_quote is not None:
        records.add(found.consumed - inside)
    return LinesRead(first, len(records & set(starts)), ends_inside=found.open_quote is not None)


def is_outside(before: bytes, inside: bool) -> bool:
    try:
        return scan(b'"' * inside + before, b",", final=False, cr_ends=False).open_quote is None
    except TextAfterQuote:
        return False


def assert_as_scanned(text: bytes, *, is_last: bool) -> None:
    for inside, found in enumerate(read_lines(text, b",", is_last=is_last)):
        expected = by_scan(text, inside=bool(inside), is_last=is_last)
        assert (found.first, found.broken) == (expected.first, expected.broken)
        if found.broken is None:
            assert found == expected


@pytest.mark.parametrize("inside_first", [b"", b'x"\n'])
@pytest.mark.parametrize(
    "line",
    [
        b'"a","b"\n',
        b'"a","b"\r\n',
        b'"a","b"\r\r\n',
        b'"a ""b""","""c"""\n',
        b'"a\n\nb",c\n',
        b'5" by 6",b\n',
        b'5"" by 6"",b\n\n',
        b'a,"",""\r\n\r\n\r\r\n',
        b'"a","b"\r\r\r\n',
        b'a""","b"\n',
    ],
)
@pytest.mark.parametrize("last", [b"", b'"', b'"x', b'x"y",', b'"a"\r', b"\r", b"\r\r", b'"a"\r\r', b'""""', b"x"])
def test_many_lines_are_what_the_scan_makes_of_them(inside_first: bytes, line: bytes, last: bytes) -> None:
    for count in (1, 30):
        assert_as_scanned(inside_first + line * count + last, is_last=True)
        assert_as_scanned(inside_first + line * count + last + line + b"\n", is_last=False)


@given(st.lists(st.sampled_from([b'"', b'"', b",", b"\n", b"\r\n", b"\r", b"a"]), min_size=1, max_size=14), st.booleans())
@example([b"\n", b'"', b"a", b"\n"], False)
def test_any_lines_are_what_the_scan_makes_of_them(pieces: list[bytes], is_last: bool) -> None:
    text = b"".join(pieces)
    assert_as_scanned(text if is_last else text + b"\n", is_last=is_last)
    long = b'"a","b"\n' * 40 + text
    assert_as_scanned(long if is_last else long + b"\n", is_last=is_last)


@pytest.mark.parametrize("count", range(60, 67))
def test_doubled_quotes_after_many_are_not_taken_apart(count: int) -> None:
    assert_as_scanned(b'",' * count + b'"",x\n"",""\n', is_last=False)


def test_lines_of_blanks_are_no_rows_of_json_lines() -> None:
    text = b' \t\n{"a": 1}\r\n\n\r\n  {"a": 2}\n\x0b\x0c\n{"a": 3}\n '

    assert count_lines(text) == 3
