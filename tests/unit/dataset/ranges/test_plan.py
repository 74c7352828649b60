"""How a dataset of many parts is cut, and that its shards are read as its parts are, one after the other."""

from __future__ import annotations

import io
import threading
import time
from typing import BinaryIO

import pytest

from sageline.arrays.blocks import Side
from sageline.dataset.ranges.ahead import AHEAD
from sageline.dataset.ranges.plan import DatasetPart, ShardPlan, plan_shards
from sageline.dataset.ranges.read import read_shard
from sageline.dataset.ranges.scan import scan_shard
from sageline.dataset.readers.source import FIND_OUT
from tests.unit.dataset.ranges.cutting import assert_same, folder_at_once, in_shards, opener, parts_of, planned

FOLDER = "s3://bucket/data/"


def table(rows: int, header: str = "a,b", start: int = 0) -> bytes:
    return (header + "\n" + "".join(f"{number},{number % 3}\n" for number in range(start, start + rows))).encode()


def test_small_files_go_together() -> None:
    files = {f"{FOLDER}data-{number:03}.csv": table(10) for number in range(100)}

    plan = planned(FOLDER, files, 500)

    assert 8 <= len(plan.shards) <= 12
    assert [item.part for shard in plan.shards for item in shard] == list(range(100))
    assert plan.to_scan == []
    assert_same(in_shards(plan, files), folder_at_once(FOLDER, files))


def test_ten_thousand_files_without_bytes_make_few_shards_and_none_is_read() -> None:
    parts = [DatasetPart(f"{FOLDER}data-{number:05}.csv", 0) for number in range(10_000)]

    def refuse(part: DatasetPart, start: int, end: int) -> BinaryIO:
        raise AssertionError(f"{part.uri} is read")

    plan = plan_shards(FOLDER, "csv", parts, 1 << 30, open_range=refuse, options=FIND_OUT)

    assert len(plan.shards) == 1


def test_a_small_file_counts_by_what_asking_for_it_takes() -> None:
    files = {f"{FOLDER}data-{number:05}.csv": b"a,b\n" for number in range(10_000)}
    files[f"{FOLDER}data-00000.csv"] = table(1)

    plan = planned(FOLDER, files, 256 << 20, file_bytes=64 << 10)

    assert [len(shard) for shard in plan.shards] == [4095, 4095, 1810]


def test_the_first_part_with_rows_is_found_behind_thousands_that_have_none() -> None:
    files = {f"{FOLDER}data-{number:05}.csv": b"a,b\n" for number in range(300)}
    files[f"{FOLDER}data-00123.csv"] = table(1, "b,a")
    files[f"{FOLDER}data-00124.csv"] = table(1, "a,b,c")
    open_range, at_once, open_now, lock = opener(files), 0, 0, threading.Lock()

    def slow(part: DatasetPart, start: int, end: int) -> BinaryIO:
        nonlocal at_once, open_now
        with lock:
            open_now += 1
            at_once = max(at_once, open_now)
        time.sleep(0.002)
        with lock:
            open_now -= 1
        return open_range(part, start, end)

    plan = plan_shards(FOLDER, "csv", parts_of(files), 100, open_range=slow, options=FIND_OUT)

    assert plan.first is not None
    assert (plan.first.uri, plan.first.columns) == (f"{FOLDER}data-00123.csv", ("b", "a"))
    assert 1 < at_once <= AHEAD


def test_a_part_that_is_refused_before_the_first_with_rows_leaves_the_columns_to_the_reading() -> None:
    files = {f"{FOLDER}data-0.csv": b"a,a\n", f"{FOLDER}data-1.csv": table(30), f"{FOLDER}data-2.csv": table(30)}

    plan = planned(FOLDER, files, 100)

    assert plan.first is None
    assert_same(in_shards(plan, files), folder_at_once(FOLDER, files))


def test_large_files_are_cut_in_about_equal_ranges_and_the_last_goes_with_small_files() -> None:
    files = {f"{FOLDER}data-0.csv": table(5), f"{FOLDER}data-1.csv": table(400), f"{FOLDER}data-2.csv": table(5)}
    size = len(files[f"{FOLDER}data-1.csv"])

    plan = planned(FOLDER, files, 1000)

    ranges = [(item.part, item.kind, item.end - item.start) for shard in plan.shards for item in shard]
    pieces = [size for part, kind, size in ranges if part == 1]
    assert len(pieces) == -(-size // 1000)
    assert max(pieces) - min(pieces) <= 1
    assert sum(pieces) == size
    assert_same(in_shards(plan, files), folder_at_once(FOLDER, files))


def test_every_part_has_the_columns_in_the_order_of_the_first_that_has_rows() -> None:
    files = {
        f"{FOLDER}data-0.csv": b"b,a\n",
        f"{FOLDER}data-1.csv": table(30),
        f"{FOLDER}data-2.csv": table(300, "b,a", start=500),
        f"{FOLDER}data-3.csv": b"b,a\n",
    }

    found = in_shards(planned(FOLDER, files, 200), files)

    assert found.columns == ["a", "b"]
    assert found.notes == [f"{FOLDER}data-0.csv and 1 other part: a header line and no rows."]
    assert_same(found, folder_at_once(FOLDER, files))


@pytest.mark.parametrize(
    ("data_format", "rows", "blanks"),
    [
        ("csv", table(300), (b"\n\n", b"\r\n", b"\n" * 900)),
        ("tsv", table(300), (b"\n", b"\r\r", b"\n\n")),
        ("jsonl", b'{"a": 1}\n' * 300, (b"\n \n", b" ", b"\n" * 900)),
    ],
)
def test_parts_of_blank_lines_are_said_to_have_nothing_else(data_format: str, rows: bytes, blanks: tuple[bytes, ...]) -> None:
    files = dict(zip((f"{FOLDER}data-{number}.{data_format}" for number in range(4)), (rows, *blanks), strict=True))

    found = folder_at_once(FOLDER, files, data_format=data_format)

    assert found.notes == [f"{FOLDER}data-1.{data_format} and 2 other parts: blank lines only."]
    assert_same(in_shards(planned(FOLDER, files, 500, data_format=data_format), files), found)


def test_lines_with_other_keys_are_refused_in_words_of_json_lines() -> None:
    files = {f"{FOLDER}data-0.jsonl": b'{"a": 1}\n', f"{FOLDER}data-1.jsonl": b'{"b": 1}\n'}

    error = folder_at_once(FOLDER, files, data_format="jsonl").error

    assert error is not None
    assert error.endswith("Give every part the same keys, in any order.")


def test_a_part_with_other_columns_is_refused_in_the_words_of_one_reading() -> None:
    files = {f"{FOLDER}data-0.csv": table(300), f"{FOLDER}data-1.csv": table(300, "a,c"), f"{FOLDER}data-2.csv": table(9, "x,y")}
    plan = planned(FOLDER, files, 500)

    one = folder_at_once(FOLDER, files)

    assert one.error is not None
    assert "lacks 'b' and has 'c' besides" in one.error
    assert_same(in_shards(plan, files), one)


def test_the_sides_of_a_split_are_kept() -> None:
    sides: dict[str, Side] = {f"{FOLDER}test.csv": "test", f"{FOLDER}train.csv": "train"}
    files = {f"{FOLDER}test.csv": table(200), f"{FOLDER}train.csv": table(300)}
    plan = planned(FOLDER, files, 300, sides=sides)

    found = in_shards(plan, files)

    assert {row[1] for row in found.rows} == {"test", "train"}
    assert_same(found, folder_at_once(FOLDER, files, sides=sides))
    lacking = {**files, f"{FOLDER}test.csv": b"a\n" + b"1\n" * 400}
    refused = in_shards(planned(FOLDER, lacking, 300, sides=sides), lacking)
    assert_same(refused, folder_at_once(FOLDER, lacking, sides=sides))
    assert "If that is the label" in str(refused.error)


@pytest.mark.parametrize("body", [b"a,b\n", b"a,b\n" + b"\n" * 900])
def test_a_folder_without_rows_is_refused(body: bytes) -> None:
    files = {f"{FOLDER}data-0.csv": body, f"{FOLDER}data-1.csv": body}

    one = folder_at_once(FOLDER, files)

    assert one.error == f"{FOLDER}: none of the parts has a row; upload rows."
    assert_same(in_shards(planned(FOLDER, files, 200), files), one)


def test_what_is_said_of_many_parts_is_said_once() -> None:
    files = {f"{FOLDER}data-{number}.csv": table(300, ",a,b").replace(b"\n", b",x\n")[:-1] for number in range(3)}
    files = {uri: data.replace(b",a,b,x", b",a,b") for uri, data in files.items()}

    found = in_shards(planned(FOLDER, files, 700), files)

    assert [note.startswith(f"{FOLDER}data-0.csv and 2 other parts: ") for note in found.notes] == [True]
    assert_same(found, folder_at_once(FOLDER, files))


def test_a_file_whose_header_is_refused_is_read_whole_and_says_so() -> None:
    files = {f"{FOLDER}data-0.csv": table(300), f"{FOLDER}data-1.csv": table(300, "a,a")}
    plan = planned(FOLDER, files, 500)

    assert plan.uncut == ()
    assert_same(in_shards(plan, files), folder_at_once(FOLDER, files))


def test_reading_asks_for_no_more_than_the_rows_of_a_range() -> None:
    uri = f"{FOLDER}data-0.csv"
    files = {uri: table(1000)}
    settled: list[ShardPlan] = []
    in_shards(planned(FOLDER, files, 2000), files, settled=settled)
    asked: list[bytes] = []

    def counted(part: DatasetPart, start: int, end: int) -> BinaryIO:
        asked.append(files[part.uri][start:end])
        return io.BytesIO(asked[-1])

    for number in range(len(settled[0].shards)):
        for _ in read_shard(settled[0], number, counted, FIND_OUT, []):
            pass

    assert len(asked) == 3
    assert b"a,b\n" + b"".join(asked) == files[uri]
    assert all(text.endswith(b"\n") for text in asked)


def test_scanning_reads_a_line_beyond_the_range() -> None:
    uri = f"{FOLDER}data-0.csv"
    files = {uri: table(1000)}
    plan = planned(FOLDER, files, 2000)

    def careful(part: DatasetPart, start: int, end: int) -> BinaryIO:
        if start > first.end:
            raise AssertionError("beyond the line in which the range ends")
        return io.BytesIO(files[part.uri][start:end])

    first = plan.shards[0][0]
    (found,) = scan_shard(plan, 0, careful)

    assert found.outside.rows == found.lines
    assert found.inside.first is None


def test_a_shard_that_is_not_settled_cannot_be_read() -> None:
    files = {f"{FOLDER}data-0.csv": table(1000)}
    plan = planned(FOLDER, files, 2000)

    with pytest.raises(ValueError, match="not settled"):
        next(read_shard(plan, 0, opener(files), FIND_OUT, []))
