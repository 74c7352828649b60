"""Paths, records and joins of transform jobs, by themselves."""

from __future__ import annotations

import io
import struct

import pytest

from sagemaker_emulator.transform.jsonpath import InvalidPath, NoSuchElement, parse
from sagemaker_emulator.transform.problems import ObjectFailed
from sagemaker_emulator.transform.processing import Processing
from sagemaker_emulator.transform.splitting import batches, records

MOST = 1 << 20
ROW = ["a", "b", "c", "d", "e", "f"]
THING = {"id": 7, "in": {"x": 1, "y": [2, 3]}, "SageMakerOutput": {"label": "k"}}


@pytest.mark.parametrize(
    ("path", "value", "selected"),
    [
        ("$", THING, THING),
        ("$[0]", ROW, "a"),
        ("$[-1]", ROW, "f"),
        ("$[0,-1]", ROW, ["a", "f"]),
        ("$[1:]", ROW, ["b", "c", "d", "e", "f"]),
        # The developer guide: "$[1:4] specifies the second through fifth columns", "[:5] … through the sixth column".
        ("$[1:4]", ROW, ["b", "c", "d", "e"]),
        ("$[:5]", ROW, ROW),
        ("$[-2:]", ROW, ["e", "f"]),
        ("$[:-2]", ROW, ["a", "b", "c", "d", "e"]),
        ("$[0,4:]", ROW, ["a", "e", "f"]),
        ("$[4:99]", ROW, ["e", "f"]),
        ("$[*]", ROW, ROW),
        ("$.id", THING, 7),
        ("$.in.y[1]", THING, 3),
        ("$['id']", THING, 7),
        ("$['id','SageMakerOutput']", THING, {"id": 7, "SageMakerOutput": {"label": "k"}}),
        ("$.in.['x','y']", THING, {"x": 1, "y": [2, 3]}),
        ("$.in.*", THING, [1, [2, 3]]),
        (r"$['it\'s']", {"it's": 1}, 1),
    ],
)
def test_a_path_selects(path: str, value: object, selected: object) -> None:
    assert parse(path).select(value) == selected


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("$[6]", ROW, "element 6 of 6"),
        ("$.nobody", THING, "no 'nobody'"),
        ("$['id','nobody']", THING, "no 'nobody'"),
        ("$[0]", THING, "no array"),
        ("$.id.*", THING, "no object and no array"),
        ("$.id", ROW, "no 'id'"),
    ],
)
def test_a_path_that_leads_nowhere_is_an_error(path: str, value: object, words: str) -> None:
    with pytest.raises(NoSuchElement, match=words):
        parse(path).select(value)


@pytest.mark.parametrize("path", ["", "id", "$..id", "$[?(@.x)]", "$[1:2:3]", "$[-]", "$['a'", "$[]", "$.in.['x','y.z'].q[x]"])
def test_what_is_not_of_the_subset_is_refused(path: str) -> None:
    with pytest.raises(InvalidPath):
        parse(path)


def frame(content: bytes, flag: int = 0) -> bytes:
    padded = content + b"\0" * (-len(content) % 4)
    return struct.pack("<II", 0xCED7230A, flag << 29 | len(content)) + padded


def tfrecord(content: bytes) -> bytes:
    return struct.pack("<QI", len(content), 1) + content + struct.pack("<I", 2)


@pytest.mark.parametrize(
    ("split", "pieces"),
    [
        ("RecordIO", [frame(b"one"), frame(b"four"), frame(b"a", 1) + frame(b"b", 2) + frame(b"c", 3), frame(b"")]),
        ("TFRecord", [tfrecord(b"one"), tfrecord(b"")]),
        ("None", [b"1\n2\n"]),
    ],
)
def test_frames_stay_whole(split: str, pieces: list[bytes]) -> None:
    assert list(records(io.BytesIO(b"".join(pieces)), split, MOST)) == pieces


@pytest.mark.parametrize(
    ("split", "content"),
    [
        ("RecordIO", frame(b"one")[:-1]),
        ("RecordIO", frame(b"a", 1)),
        ("RecordIO", b"not recordio"),
        ("TFRecord", tfrecord(b"one")[:-1]),
        ("TFRecord", b"1,2"),
    ],
)
def test_a_broken_frame_fails_the_object(split: str, content: bytes) -> None:
    with pytest.raises(ObjectFailed, match="Fail to parse delimiter"):
        list(records(io.BytesIO(content), split, MOST))


@pytest.mark.parametrize(
    ("split", "content"),
    [("None", b"x" * 65), ("Line", b"1\n" + b"x" * 65), ("RecordIO", frame(b"x" * 64)), ("TFRecord", tfrecord(b"x" * 60))],
)
def test_a_record_of_more_than_a_payload_fails_the_object(split: str, content: bytes) -> None:
    with pytest.raises(ObjectFailed, match="Too much data for max payload size"):
        list(records(io.BytesIO(content), split, 64))


def test_records_are_not_read_ahead_of_the_payloads() -> None:
    stream = io.BytesIO(b"12345678\n" * 1000)
    packed = batches(((line, line) for line in records(stream, "Line", 64)), "Line", "MultiRecord", 64)
    assert next(packed).payload == b"12345678\n" * 7
    assert stream.tell() == 8 * 9


def test_frames_are_packed_without_anything_between_them() -> None:
    pairs = [(frame(b"a"), frame(b"a")), (frame(b"b"), frame(b"b"))]
    assert [batch.payload for batch in batches(pairs, "RecordIO", "MultiRecord", MOST)] == [frame(b"a") + frame(b"b")]


def processing(content_type: str, *, by_line: bool = True, **config: str) -> Processing:
    return Processing(config, content_type, by_line=by_line)


def test_json_lines_get_their_answer_as_a_member() -> None:
    join = processing("application/jsonlines; charset=utf-8", JoinSource="Input")
    written = join.to_write((b'{"id": 1}', b"[2]"), b'{"label": "a"}\n{"label": "\xc3\xa9"}\n')
    assert written == [
        b'{"id": 1, "SageMakerOutput": {"label": "a"}}',
        b'{"SageMakerInput": [2], "SageMakerOutput": {"label": "\xc3\xa9"}}',
    ]


def test_a_whole_json_document_is_one_record() -> None:
    join = processing("application/json", by_line=False, JoinSource="Input", OutputFilter="$['id','SageMakerOutput']")
    assert join.to_write((b'{\n"id": 1, "x": 2}',), b"[\n1]") == [b'{"id": 1, "SageMakerOutput": [1]}']


def test_a_filter_chooses_what_is_sent() -> None:
    assert processing("application/jsonlines", InputFilter="$.features").to_send(b'{"features": [1, 2]}') == b"[1, 2]"
    assert processing("text/csv", InputFilter="$[1]").to_send(b"a,b,c\r") == b"b"
    assert processing("text/csv").to_send(b"a,b ,c\r") == b"a,b ,c\r"


def test_csv_rows_are_joined_cell_by_cell() -> None:
    join = processing("text/csv", JoinSource="Input")
    # XGBoost answers a row of probabilities as a Python list, which is cells like any others.
    assert join.to_write((b'"a ""b"""', b""), b"[0.1, 0.9]\n1") == [b'"a ""b""",[0.1, 0.9]', b",1"]


@pytest.mark.parametrize(
    ("content_type", "record", "answer", "words"),
    [
        ("text/csv", b'"open', b"1", "Fail to parse CSV"),
        ("text/csv", b"\xff", b"1", "Fail to parse CSV"),
        ("application/json", b"{", b"1", "Fail to parse JSON"),
        ("text/csv", b"1", b"1\n2", "Fail to join input and output"),
    ],
)
def test_what_can_not_be_joined_fails_the_object(content_type: str, record: bytes, answer: bytes, words: str) -> None:
    with pytest.raises(ObjectFailed, match=words):
        processing(content_type, JoinSource="Input").to_write((record,), answer)


def test_a_path_that_a_record_does_not_have_fails_the_object() -> None:
    with pytest.raises(ObjectFailed, match="Fail to apply JSONPath"):
        processing("text/csv", InputFilter="$[3]").to_send(b"1,2")
