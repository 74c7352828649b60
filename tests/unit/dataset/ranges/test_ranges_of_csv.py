"""A CSV file read by ranges, wherever it is cut, gives the rows, the notes and the errors of one reading."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.dataset.ranges import scan
from sageline.dataset.ranges.plan import ShardPlan
from sageline.dataset.readers.source import FIND_OUT, ReadOptions
from tests.unit.dataset.ranges.cutting import SOURCE, assert_same, at_once, cut_at, in_shards

NASTY = (
    '\ufeff"word","a header\r\nin ""two"" lines",size\r\n'
    "\r\n"
    '"it has\r\na break","and\n\n""quotes"" at the ""end""",1\r\n'
    'inches,5" and 6" wide,2\r\n'
    "größe,naïve 日本語 🎉,3\r\r\n"
    '"""",",",4\r\n'
    '"","""\n""",5\r\n'
    "\n\r\n"
    "plain,lines,6\n"
    '"a\n","\n\n\n",7\n'
    'a\rb,c"",8\n'
    '"ends, quoted",x,"9"\r\n'
    '"last\n\r","日\n本",10\r\n'
    "\r\n"
).encode()


def assert_alike(data: bytes, cuts: Sequence[int], options: ReadOptions = FIND_OUT) -> None:
    assert_same(in_shards(cut_at(data, cuts, options=options), {SOURCE: data}, options), at_once(data, options=options))


@pytest.mark.parametrize("piece", [3, 7, 512 << 10])
def test_a_file_may_be_cut_at_any_byte(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "_PIECE_BYTES", piece)
    for data in (NASTY, NASTY.rstrip(), NASTY + b"x,y,11", NASTY + b"x,y,11\r", NASTY + b'x,"y","11"'):
        assert len(at_once(data).rows) >= 10
        for cut in range(len(data) + 1):
            assert_alike(data, [cut])


def test_a_file_may_be_cut_at_every_byte_at_once() -> None:
    assert_alike(NASTY, list(range(1, len(NASTY))))


def test_a_row_is_read_by_the_range_in_which_it_begins() -> None:
    data = b"a,b\n1,2\n3,4\n5,6\n"
    settled: list[ShardPlan] = []

    in_shards(cut_at(data, [8, 13]), {SOURCE: data}, settled=settled)

    ranges = [[(item.start, item.end, item.rows) for item in shard] for shard in settled[0].shards]
    assert ranges == [[(4, 8, 1)], [(8, 16, 2)], []]


def test_a_row_larger_than_a_shard_leaves_the_shards_within_it_without_rows() -> None:
    data = b'a,b\n1,"' + b"line\n" * 20 + b'"\n3,4\n'
    settled: list[ShardPlan] = []

    found = in_shards(cut_at(data, [20, 40, 60, 80, 100]), {SOURCE: data}, settled=settled)

    assert [len(shard) for shard in settled[0].shards] == [1, 0, 0, 0, 0, 1]
    assert_same(found, at_once(data))


BROKEN = {
    "a quote that is never closed": b'a,b\n1,2\n3,"4\n5,6\n7,8\n9,10\n',
    "text after a quote": b'a,b\n1,2\n3,"4\n\n5"6,7\n8,9\n9,"10"\n',
    "text after a quote that opens in the row": b'a,b\n1,2\n3,4\n5,""6\n8,9\n',
    "a row of three fields": b"a,b\n1,2\n\n3,4,5\n5,6\n7,8,9\n",
    "a row of three fields before a broken quote": b'a,b\n1,2\n3,4,5\n5,"6"7\n7,8\n',
    "a quote that is never closed after other rows": b'a,b\n"1","2\n2"\n"3","4\n5,6\n\n',
    "no UTF-8": b"a,b\n1,2\n\xc3\xb6,3\n4,\xff\n5,6\n",
    "a NUL": b"a,b\n1,2\n3,4\n5,\0\n7,8\n",
    "no rows": b"a,b\n\n\r\n\n",
    "a value in a column without a name": b"a,b,\n" + b"1,2,\n" * 200 + b"3,4,5\n6,7,\n",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_an_error_is_that_of_one_reading(data: bytes) -> None:
    assert at_once(data).error is not None
    for cut in range(len(data) + 1):
        assert_alike(data, [cut])
    assert_alike(data, list(range(1, len(data), 3)))


def test_the_plan_names_the_shard_in_which_a_quote_is_never_closed() -> None:
    data = BROKEN["a quote that is never closed"]
    settled: list[ShardPlan] = []

    found = in_shards(cut_at(data, [8, 16, 20]), {SOURCE: data}, settled=settled)

    assert settled[0].broken == 1
    assert found.error is not None
    assert "row 2 (line 3, byte offset 10), column 'b': a quoted field opens here and is never closed" in found.error


@pytest.mark.parametrize("encoding", ["cp1252", "cp1251", "latin-1"])
def test_a_file_in_another_encoding_may_be_cut(encoding: str) -> None:
    text = 'a,b\n"één","naïve\n""Ö"""\nx,yß\n\n3,4\n' if encoding != "cp1251" else 'а,б\n"один","два\n""три"""\nx,y\n\n3,4\n'
    data = text.encode(encoding)
    options = ReadOptions(encoding=encoding)

    assert "ö" in str(at_once(data, options=options).rows).lower() or encoding == "cp1251"
    for cut in range(len(data) + 1):
        assert_alike(data, [cut], options)
        assert_alike(data + b"1,2,3\n", [cut], options)


def test_the_encoding_is_found_out_by_the_range_that_has_the_first_byte_beyond_ascii() -> None:
    text = "town,size\n" + "Bonn,3\n" * 40 + "Köln,4\nMünchen,5\n" + "Bonn,3\n" * 40
    for data in (text.encode(), text.encode("cp1252"), text.encode("cp1252") + b"a,b,c\n", text.encode("utf-8") + b"a,b,c\n"):
        for cut in range(0, len(data), 11):
            assert_alike(data, [cut])
        assert_alike(data, list(range(10, len(data), 13)))


def test_a_late_byte_beyond_ascii_says_the_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = b"".join(b"Bonn,%d\n" % number for number in range(500_000))
    data = b"town,size\n" + rows + "Köln,1\nMünchen,2\n".encode("cp1252") + b"Bonn,2\n" * 10
    late = data.index(b"K\xf6ln")

    found = in_shards(cut_at(data, [late - 5000, late - 20, late + 1]), {SOURCE: data})

    assert [row[3][0] for row in found.rows[500_000:500_002]] == ["Köln", "München"]
    assert_same(found, at_once(data))


def test_the_first_carriage_return_in_a_field_is_noted_once() -> None:
    data = b"a,b\n1,2\n3\r3,4\n5,6\n7\r7,8\n9,1\n"

    found = in_shards(cut_at(data, [9, 20]), {SOURCE: data})

    assert len(found.notes) == 1
    assert_same(found, at_once(data))


cells = st.text(st.sampled_from('ab",;\r\n\t é日1'), max_size=5)


@given(
    rows=st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=12),
    delimiter=st.sampled_from(",;\t|"),
    line_end=st.sampled_from(["\n", "\r\n", "\r\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    blank=st.integers(0, 3),
    damage=st.sampled_from(["", "", "", '"', '"x', ",", "é", "\r"]),
    at=st.floats(0, 1),
    encoding=st.sampled_from(["utf-8", "utf-8", "utf-8-sig"]),
    shares=st.lists(st.floats(0, 1), max_size=6),
    given_delimiter=st.booleans(),
)
def test_whatever_a_file_is_like_and_wherever_it_is_cut(
    rows: list[tuple[str, str, str]],
    delimiter: str,
    line_end: str,
    quoting: int,
    blank: int,
    damage: str,
    at: float,
    encoding: str,
    shares: list[float],
    given_delimiter: bool,
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=quoting)  # type: ignore[arg-type]  # a constant
    writer.writerow(["word", "name", "size"])
    for row in rows:
        writer.writerow(row)
        text.write(line_end * blank)
    written = text.getvalue()
    place = 16 + int(at * len(written))
    data = (written[:place] + damage + written[place:]).encode(encoding)
    options = ReadOptions(delimiter=delimiter if given_delimiter else None)
    cuts = sorted(int(share * len(data)) for share in shares)
    try:
        plan = cut_at(data, cuts, options=options)
    except Exception as error:  # its head is refused, and so it is not cut
        assert type(error).__name__ in ("InvalidDataset", "NotToBeCut")
        return
    assert_same(in_shards(plan, {SOURCE: data}, options), at_once(data, options=options))
