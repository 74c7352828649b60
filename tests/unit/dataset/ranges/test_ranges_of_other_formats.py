"""JSON Lines and Parquet read by ranges give the rows, the notes and the errors of one reading; other formats are read whole."""

from __future__ import annotations

import gzip
import json

import pytest

from sageline.dataset.ranges.plan import ShardPlan
from sageline.dataset.readers import jsonl_reader
from sageline.dataset.readers.source import ReadOptions
from tests.unit.dataset.ranges.cutting import SOURCE, Outcome, assert_same, at_once, cut, in_shards, planned, whole
from tests.unit.dataset.tables import as_parquet

LINES = (
    '\ufeff{"town": "Köln", "size": {"km": 1.50}}\r\n'
    "\n"
    '  {"town": "日本", "late": true}\n'
    " \t\r\n"
    '{"town": "a\\nb", "size": null}\n'
    "\x0b\n"
    '{"town": ["x", "y"], "size": {"km": 2}}\n'
    '{"town": ["z"], "late": ["u", "v"]}'
).encode()


def assert_lines_alike(data: bytes, options: ReadOptions | None = None) -> Outcome:
    options = options or ReadOptions()
    plan, one = whole(data, "jsonl", options), at_once(data, "jsonl", options)
    for cuts in (*([place] for place in range(len(data) + 1)), range(1, len(data)), range(5, len(data), 17)):
        assert_same(in_shards(cut(plan, cuts), {SOURCE: data}, options), one)
    return one


def test_json_lines_may_be_cut_at_any_byte() -> None:
    one = assert_lines_alike(LINES)

    assert [row[2] for row in one.rows] == [1, 2, 3, 4, 5]
    assert (one.lists, len(one.notes)) == ({"town", "late"}, 3)


def test_json_lines_that_end_with_a_line_feed_and_are_in_another_encoding_may_be_cut() -> None:
    data = '{"ort": "Köln"}\n\n{"ort": "Bonn"}\n{"ort": "Düren"}\n'

    assert_lines_alike(data.encode("cp1252"))
    assert_lines_alike(data.encode("latin-1"), ReadOptions(encoding="latin-1"))


@pytest.mark.parametrize("line", [b"[1]", b'{"town": "x", "town": 2}', b"{", b'{"town": "\xff"}', b'{"town": [1]}'])
def test_an_error_in_a_line_is_that_of_one_reading(line: bytes) -> None:
    one = assert_lines_alike(b'{"town": "a"}\n\n{"town": "b"}\n' + line + b'\n{"town": "c"}\n')

    assert one.error is not None


def test_a_key_that_the_first_rows_lack_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl_reader, "KEYS_BYTES", 60)

    one = assert_lines_alike(b'{"town": "a"}\n' * 6 + b'{"town": "b", "size": 3}\n{"town": "c"}\n')

    assert one.error is not None
    assert "key 'size' is in no row of" in one.error


def test_parquet_is_cut_at_row_groups() -> None:
    table = {"town": [f"town {number % 7}" for number in range(100)], "tags": [["a", "b"]] * 100, "size": list(range(100))}
    data = as_parquet(table, row_group_size=10)
    plan = planned(SOURCE, {SOURCE: data}, len(data) // 5, "parquet")

    ranges = [(item.kind, item.start, item.end) for shard in plan.shards for item in shard]
    assert len(ranges) >= 3
    assert (ranges[0][0], ranges[0][1], ranges[-1][2]) == ("groups", 0, 10)
    found = in_shards(plan, {SOURCE: data})
    assert_same(found, at_once(data, "parquet"))
    assert [row[2] for row in found.rows] == list(range(1, 101))


def test_row_groups_that_are_larger_than_a_shard_are_named() -> None:
    data = as_parquet({"town": [f"{number * 7919}" for number in range(4000)]}, row_group_size=2000)
    plan = planned(SOURCE, {SOURCE: data}, 1000, "parquet")

    assert len(plan.shards) == 2
    assert [item.why for item in plan.uncut] == ["row group 1 is read as a whole", "row group 2 is read as a whole"]
    assert 1000 < plan.largest_uncut < len(data)


def test_a_damaged_footer_is_refused_when_the_file_is_read() -> None:
    data = as_parquet({"town": ["a", "b"] * 500})[:-6] + b"abcdef"
    plan = planned(SOURCE, {SOURCE: data}, 100, "parquet")

    assert plan.uncut == ()
    assert_same(in_shards(plan, {SOURCE: data}), at_once(data, "parquet"))


ROWS = "a,b\n" + "1,ö\n" * 100
UNCUT = {
    "csv.gz": (gzip.compress(ROWS.encode()), "csv.gz", ReadOptions(), "compressed"),
    "UTF-16": (ROWS.encode("utf-16"), "csv", ReadOptions(), "utf-16"),
    "Shift JIS": (ROWS.replace("ö", "ソ").encode("shift-jis"), "csv", ReadOptions(encoding="shift_jis"), "shift_jis"),
    "CR": (ROWS.replace("\n", "\r").encode(), "csv", ReadOptions(), "carriage return"),
    "libsvm": (b"1 1:0.5 2:3\n" * 100, "libsvm", ReadOptions(), "libsvm"),
}


@pytest.mark.parametrize(("data", "data_format", "options", "why"), UNCUT.values(), ids=UNCUT)
def test_what_cannot_be_cut_is_named_and_read_whole(data: bytes, data_format: str, options: ReadOptions, why: str) -> None:
    plan = planned(SOURCE, {SOURCE: data}, 30, data_format, options=options)

    assert (len(plan.shards), plan.largest_uncut, plan.to_scan) == (1, len(data), [])
    assert why in plan.uncut[0].why
    assert_same(in_shards(plan, {SOURCE: data}, options), at_once(data, data_format, options))


def test_what_fits_a_shard_may_be_of_any_format() -> None:
    data = gzip.compress(json.dumps({"a": 1}).encode())

    plan: ShardPlan = planned(SOURCE, {SOURCE: data}, 1000, "jsonl.gz")

    assert (plan.uncut, plan.largest_uncut) == ((), 0)
