"""A CSV file read by ranges, wherever it is cut, gives the rows, the notes and the errors of one reading."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.dataset.ranges import scan
from sageline.dataset.ranges.plan import ShardPlan
from sageline.dataset.ranges.text_head import NotToBeCut
from sageline.dataset.readers import csv_reader
from sageline.dataset.readers.source import FIND_OUT, ReadOptions
from sageline.errors import InvalidDataset
from tests.unit.dataset.ranges.cutting import SOURCE, Outcome, assert_same, at_once, cut, in_shards, whole

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


def assert_alike(data: bytes, cuttings: Iterable[Sequence[int]], options: ReadOptions = FIND_OUT) -> Outcome:
    """However it is cut; returns what one reading gives."""
    plan, one = whole(data, options=options), at_once(data, options=options)
    for cuts in cuttings:
        assert_same(in_shards(cut(plan, cuts), {SOURCE: data}, options), one)
    return one


def anywhere(data: bytes, step: int = 1) -> list[list[int]]:
    """Once each, at one place."""
    return [[place] for place in range(0, len(data) + 1, step)]


ENDS = {"a blank line": NASTY, "a quote": NASTY.rstrip(), "a character": NASTY + b"x,y,11", "CR": NASTY + b"x,y,11\r"}


@pytest.mark.parametrize("data", ENDS.values(), ids=ENDS)
def test_a_file_may_be_cut_at_any_byte(data: bytes) -> None:
    assert len(assert_alike(data, anywhere(data)).rows) >= 10


def test_a_range_is_scanned_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    for piece in (2, 7, 30):
        monkeypatch.setattr(scan, "_PIECE_BYTES", piece)
        assert_alike(NASTY, anywhere(NASTY, step=9))


def test_a_file_may_be_cut_at_every_byte_at_once() -> None:
    assert_alike(NASTY, [range(1, len(NASTY))])


def test_a_row_is_read_by_the_range_in_which_it_begins() -> None:
    data = b"a,b\n1,2\n3,4\n5,6\n"
    settled: list[ShardPlan] = []

    in_shards(cut(whole(data), [8, 13]), {SOURCE: data}, settled=settled)

    ranges = [[(item.start, item.end, item.rows) for item in shard] for shard in settled[0].shards]
    assert ranges == [[(4, 8, 1)], [(8, 16, 2)], []]


def test_a_row_larger_than_a_shard_leaves_the_shards_within_it_without_rows() -> None:
    data = b'a,b\n1,"' + b"line\n" * 20 + b'"\n3,4\n'
    settled: list[ShardPlan] = []

    found = in_shards(cut(whole(data), [20, 40, 60, 80, 100]), {SOURCE: data}, settled=settled)

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
    "only a header": b"a,b\n",
    "no rows": b"a,b\n\n\r\n\n",
    "a value in a column without a name": b"a,b,\n" + b"1,2,\n" * 120 + b"3,4,5\n6,7,\n",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_an_error_is_that_of_one_reading(data: bytes) -> None:
    one = assert_alike(data, [*anywhere(data), range(1, len(data), 3)])

    assert one.error is not None


def test_the_plan_names_the_shard_in_which_a_quote_is_never_closed() -> None:
    data = BROKEN["a quote that is never closed"]
    settled: list[ShardPlan] = []

    found = in_shards(cut(whole(data), [8, 16, 20]), {SOURCE: data}, settled=settled)

    assert settled[0].broken == 1
    assert found.error is not None
    assert "row 2 (line 3, byte offset 10), column 'b': a quoted field opens here and is never closed" in found.error


@pytest.mark.parametrize("long", [b"x" * 20_000, b'"' + b"x" * 20_000 + b'"', b'"' + b"x\n" * 10_000])
def test_a_row_that_the_reader_refuses_is_not_read_to_its_end(long: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_reader, "MAX_ROW_BYTES", 1000)
    monkeypatch.setattr(scan, "_LONGEST_LINE", 3000)
    monkeypatch.setattr(scan, "_PIECE_BYTES", 500)
    data = b"a,b\n" + b"1,2\n" * 400 + b"3," + long + b"\n" + b"5,6\n" * 900
    settled: list[ShardPlan] = []

    found = in_shards(cut(whole(data), range(700, len(data), 700)), {SOURCE: data}, settled=settled, block_bytes=500)

    assert settled[0].broken == 1604 // 700
    assert found.error is not None
    assert "row 401 (line 402, " in found.error
    assert_same(found, at_once(data, block_bytes=500))


@pytest.mark.parametrize("encoding", ["cp1252", "cp1251", "latin-1"])
def test_a_file_in_another_encoding_may_be_cut(encoding: str) -> None:
    texts = 'a,b\n"één","naïve\n""Ö"""\nx,yß\n\n3,4\n', 'слово,"имя"\n"один","два\n""три"""\nx,y\n\n3,4\n'
    data = texts[encoding == "cp1251"].encode(encoding)
    options = ReadOptions(encoding=encoding)

    assert len(assert_alike(data, anywhere(data), options).rows) == 3
    assert assert_alike(data + b"1,2,3\n", anywhere(data), options).error is not None


def test_the_encoding_is_found_out_by_the_range_that_has_the_first_byte_beyond_ascii() -> None:
    text = "town,size\n" + "Bonn,3\n" * 40 + "Köln,4\nMünchen,5\n" + "Bonn,3\n" * 40
    for data in (text.encode(), text.encode("cp1252"), text.encode("cp1252") + b"a,b,c\n", text.encode() + b"a,b,c\n"):
        assert_alike(data, [*anywhere(data, step=37), range(10, len(data), 13)])


def test_a_late_byte_beyond_ascii_says_the_encoding() -> None:
    rows = b"".join(b"Bonn,%d\n" % 10**499 for _ in range(9_000))  # more than is looked at before the first row
    data = b"town,size\n" + rows + "Köln,1\nMünchen,2\n".encode("cp1252") + b"Bonn,2\n" * 10
    late = data.index(b"K\xf6ln")

    found = in_shards(cut(whole(data), [late - 5000, late - 20, late + 1]), {SOURCE: data})

    assert [row[3][0] for row in found.rows[9_000:9_002]] == ["Köln", "München"]
    assert_same(found, at_once(data))


def test_a_byte_beyond_ascii_after_the_head_is_noted_before_what_the_header_says() -> None:
    data = b",town,size\n" + b"1,Bonn,3\n" * 40_000 + "1,Köln,3\n".encode("cp1252")

    found = in_shards(cut(whole(data), [len(data) - 3]), {SOURCE: data})

    assert ["Windows-1252" in note for note in found.notes] == [True, False]
    assert_same(found, at_once(data))


@pytest.mark.parametrize("header", [b"a,b", b"a\ra,b"])
def test_the_first_carriage_return_in_a_field_is_noted_once(header: bytes) -> None:
    data = header + b"\n1,2\n3\r3,4\n5,6\n7\r7,8\n9,1\n"

    found = in_shards(cut(whole(data), [9, 20]), {SOURCE: data})

    assert len(found.notes) == 1
    assert_same(found, at_once(data))


cells = st.text(st.sampled_from('ab",;\r\n\t é日1'), max_size=5)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Rows of three cells as a CSV file, some of which are damaged."""
    text = io.StringIO()
    writer = csv.writer(
        text,
        delimiter=draw(st.sampled_from(",;\t|")),
        lineterminator=draw(st.sampled_from(["\n", "\r\n", "\r\r\n"])),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
    )
    writer.writerow(["word", "name", "size"])
    blank = "\n" * draw(st.integers(0, 2))
    for row in draw(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=12)):
        writer.writerow(row)
        text.write(blank)
    damage = draw(st.sampled_from(["", "", '"', '"x', ",", "é", "\r"]))
    place = draw(st.integers(16, len(text.getvalue())))
    return (text.getvalue()[:place] + damage + text.getvalue()[place:]).encode(draw(st.sampled_from(["utf-8", "utf-8-sig"])))


@given(data=files(), shares=st.lists(st.floats(0, 1), max_size=6), delimiter=st.sampled_from([None, ",", ";"]))
def test_whatever_a_file_is_like_and_wherever_it_is_cut(data: bytes, shares: list[float], delimiter: str | None) -> None:
    options = ReadOptions(delimiter=delimiter)
    cuts = sorted(int(share * len(data)) for share in shares)
    with suppress(InvalidDataset, NotToBeCut):  # its head is refused, and so it is not cut
        plan = whole(data, options=options)
        assert_same(in_shards(cut(plan, cuts), {SOURCE: data}, options), at_once(data, options=options))
