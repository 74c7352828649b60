"""Predictions of a batch: one for each row, in the input's order and form."""

from __future__ import annotations

import csv
import gzip
import io
import json

import numpy as np
import pytest

from sageline.batch import encode as batch_encode
from sageline.batch import write as batch_write
from sageline.batch.write import write_predictions
from sageline.errors import PredictionFailed, RunFinished
from tests.unit.batch.batches import FLOWERS, OUTPUT, SIX_ROWS, documents, encoded, lines, trained, transformed
from tests.unit.world.world import BUCKET, RUN_ID, World

PART = f"runs/{RUN_ID}/transform/part-00000.csv.out"


def test_csv_gets_two_columns_more(world: World) -> None:
    trained(world)
    encoded(world)
    transformed(world)
    written = write_predictions(RUN_ID, run=world.run)
    assert written == {"uri": f"s3://{BUCKET}/{OUTPUT}.csv", "rows": 6, "status": "Succeeded"}
    header, *rows = csv.reader(io.StringIO(world.get(f"{OUTPUT}.csv").decode()))
    assert header == ["size", "colour", "prediction", "probability"]
    assert [row[:3] for row in rows] == [[f"{i}.25", "red" if i % 2 else "blue", "iris"] for i in range(6)]
    assert [float(row[3]) for row in rows] == pytest.approx([1 - (i + 0.25) / 100 for i in range(6)], abs=1e-6)


def test_the_run_has_succeeded_then_and_says_where_its_predictions_are(world: World) -> None:
    trained(world)
    encoded(world)
    transformed(world)
    write_predictions(RUN_ID, run=world.run)
    record = world.record()
    assert (record.status, record.state) == ("Succeeded", "WritePredictions")
    assert record.details["predictions"] == {"uri": f"s3://{BUCKET}/{OUTPUT}.csv", "rows": 6}


def test_what_the_job_answered_expires_and_the_predictions_stay(world: World) -> None:
    trained(world)
    encoded(world)
    transformed(world)
    write_predictions(RUN_ID, run=world.run)
    tagged = {key: world.s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"] for key in (PART, f"{OUTPUT}.csv")}
    assert tagged == {PART: [{"Key": "sageline:retention", "Value": "intermediate"}], f"{OUTPUT}.csv": []}


def test_values_of_csv_are_quoted_where_they_must_be(world: World) -> None:
    trained(world)
    encoded(world, 'colour;size;kind\n"red, ""dark""\nand light";1.25;é\n'.encode())
    transformed(world)
    write_predictions(RUN_ID, run=world.run)
    [row] = csv.DictReader(io.StringIO(world.get(f"{OUTPUT}.csv").decode(), newline=""))
    assert (row["colour"], row["size"], row["kind"], row["prediction"]) == ('red, "dark"\nand light', "1.25", "é", "iris")


FORMULAS = b'size,colour,@note\n-1.5,"=HYPERLINK(""http://x"")",+1\n2,red,"\t=1"\n+3e2,-2+3,@SUM(A1)\n4,plain,-'
"""A file that a spreadsheet would run, and numbers with a sign."""


def cells(world: World) -> list[list[str]]:
    return [row[:4] for row in csv.reader(io.StringIO(world.get(f"{OUTPUT}.csv").decode(), newline=""))]


def test_cells_that_a_spreadsheet_would_run_stay_as_they_are(world: World) -> None:
    trained(world)
    encoded(world, FORMULAS)
    world.put(PART, b"0.1\n0.2\n0.3\n0.4\n")
    write_predictions(RUN_ID, run=world.run)
    assert cells(world)[1] == ["-1.5", '=HYPERLINK("http://x")', "+1", "iris"]


def test_cells_that_a_spreadsheet_would_run_are_texts_if_that_is_asked(world: World) -> None:
    trained(world, FLOWERS.replace(b"iris", b"=iris"))
    encoded(world, FORMULAS, escape_formulas=True)
    world.put(PART, b"0.1\n0.2\n0.3\n0.4\n")
    write_predictions(RUN_ID, run=world.run)
    assert cells(world) == [
        ["size", "colour", "'@note", "prediction"],
        ["-1.5", '\'=HYPERLINK("http://x")', "+1", "'=iris"],
        ["2", "red", "'\t=1", "'=iris"],
        ["+3e2", "'-2+3", "'@SUM(A1)", "'=iris"],
        ["4", "plain", "'-", "'=iris"],
    ]


def test_compressed_csv_gives_plain_csv(world: World) -> None:
    trained(world)
    encoded(world, gzip.compress(SIX_ROWS), "batch/flowers/rows.csv.gz")
    transformed(world)
    write_predictions(RUN_ID, run=world.run)
    assert len(lines(world, "csv")) == 7


def test_json_lines_keep_their_spelling_and_get_two_keys_more(world: World) -> None:
    trained(world)
    given = ['{"size": 1.250, "colour": "r\\u00e9d"}', "", '  { "colour":null , "size":2e0 } ', '{"size": 3}']
    encoded(world, "\ufeff".encode() + "\n".join(given).encode(), "batch/flowers/rows.jsonl")
    transformed(world)
    write_predictions(RUN_ID, run=world.run)
    written = lines(world, "jsonl")
    assert written[0].startswith('{"size": 1.250, "colour": "r\\u00e9d", "prediction": "iris", "probability": 0.98')
    assert [document["size"] for document in documents(world)] == [1.25, 2.0, 3]
    assert all(document["prediction"] == "iris" for document in documents(world))


def test_no_row_of_json_lines_has_a_key_twice(world: World) -> None:
    trained(world)
    given = [
        '{"size": 1}',
        '{"size": 2, "prediction": "old"}',
        '{"size": 3, "\\u0070rediction": "old", "probability_": 1}',
        '{"size": 4}',
    ]
    encoded(world, "\n".join(given).encode(), "batch/flowers/rows.jsonl")
    transformed(world)
    write_predictions(RUN_ID, run=world.run)
    keys = [[key for key, _ in json.loads(line, object_pairs_hook=list)] for line in lines(world, "jsonl")]
    assert keys == [
        ["size", "prediction", "probability"],
        ["size", "prediction", "prediction_", "probability_"],
        ["size", "prediction", "probability_", "prediction__", "probability__"],
        ["size", "prediction", "probability"],
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
def test_json_lines_of_another_encoding_are_written_as_utf_8(world: World, encoding: str) -> None:
    trained(world)
    encoded(world, '{"size": 1, "colour": "grün"}\n\n{"size": 2, "colour": "weiß"}'.encode(encoding), "batch/flowers/rows.jsonl")
    transformed(world)
    write_predictions(RUN_ID, run=world.run)
    assert [document["colour"] for document in documents(world)] == ["grün", "weiß"]


def test_an_object_without_any_value_is_a_row_too(world: World) -> None:
    trained(world)
    encoded(world, b'{"size": 1, "colour": "red"}\n{}\n', "batch/flowers/rows.jsonl")
    world.put(PART, b"0.25\n0.5\n")
    write_predictions(RUN_ID, run=world.run)
    assert documents(world)[1] == {"prediction": "iris", "probability": 0.5}


def test_rows_of_an_npz_file_are_numbered(world: World) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, x=np.arange(6, dtype=np.float32).reshape(3, 2))
    data = b"x0,x1,kind\n" + b"".join(b"%d,%d,%s\n" % (2 * i, 3 * i, b"ab"[i % 2 : i % 2 + 1]) for i in range(60))
    trained(world, data)
    encoded(world, buffer.getvalue(), "batch/flowers/rows.npz")
    transformed(world)
    write_predictions(RUN_ID, run=world.run)
    assert [(document["row"], document["prediction"]) for document in documents(world)] == [(1, "a"), (2, "a"), (3, "a")]


def test_a_regression_has_values_and_no_probabilities(world: World) -> None:
    trained(
        world, b"size,colour,price\n" + b"".join(b"%d,%s,%d.25\n" % (i, b"red" if i % 2 else b"blue", 3 * i) for i in range(60))
    )
    encoded(world, b"size,colour\n1,red\n2,blue\n")
    transformed(world)
    write_predictions(RUN_ID, run=world.run)
    assert lines(world, "csv") == ["size,colour,prediction", "1,red,0.01", "2,blue,0.02"]


def test_a_column_of_the_input_keeps_its_name(world: World) -> None:
    trained(world, b"size,colour,prediction\n" + b"".join(b"%d,red,a\n%d.5,blue,b\n" % (i, i) for i in range(40)))
    encoded(world, b"size,prediction,colour\n1,a,red\n")
    transformed(world)
    write_predictions(RUN_ID, run=world.run)
    assert lines(world, "csv")[0] == "size,prediction,colour,prediction_,probability_"


def test_parts_come_together_in_their_order(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(world)
    monkeypatch.setattr(batch_encode, "_PART_ROWS", 7)
    rows = b"size,colour\n" + b"".join(b"%d,red\n" % i for i in range(90))
    assert encoded(world, rows)["parts"] == 13
    transformed(world)
    write_predictions(RUN_ID, run=world.run)
    assert [line.split(",")[0] for line in lines(world, "csv")[1:]] == [str(i) for i in range(90)]
    assert [float(line.split(",")[3]) for line in lines(world, "csv")[1:4]] == pytest.approx([1, 0.99, 0.98], abs=1e-6)


@pytest.mark.slow
def test_many_predictions_are_written_by_parts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(world)
    monkeypatch.setattr(batch_write, "PART_BYTES", 5 << 20)
    monkeypatch.setattr(batch_write, "_PIECE_ROWS", 1_000)
    colour = b"r" * 1000
    rows = b"size,colour\n" + b"".join(b"%d,%s\n" % (i % 50, colour) for i in range(8_000))
    encoded(world, rows)
    transformed(world)
    write_predictions(RUN_ID, run=world.run)
    body = world.get(f"{OUTPUT}.csv")
    assert len(body) > 5 << 20
    assert body.count(b"\n") == 8_001
    assert world.s3.head_object(Bucket=BUCKET, Key=f"{OUTPUT}.csv")["ETag"].strip('"').endswith("-2")


def test_a_missing_answer_names_the_part_and_its_rows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(world)
    monkeypatch.setattr(batch_encode, "_PART_ROWS", 2)
    encoded(world)
    transformed(world)
    world.s3.delete_object(Bucket=BUCKET, Key=f"runs/{RUN_ID}/transform/part-00001.csv.out")
    with pytest.raises(PredictionFailed, match=r"no s3://.*part-00001\.csv\.out, the answers for rows 3 to 4"):
        write_predictions(RUN_ID, run=world.run)
    assert world.keys(OUTPUT) == []
    assert world.record().status == "Running"


@pytest.mark.parametrize("answer", [b"0.5\n" * 5, b"0.5\n" * 7])
def test_answers_that_are_not_as_many_as_rows_name_the_part(world: World, answer: bytes) -> None:
    trained(world)
    encoded(world)
    world.put(PART, answer)
    with pytest.raises(PredictionFailed, match=r"part-00000\.csv\.out, rows 1 to 6: the model answered for \d of"):
        write_predictions(RUN_ID, run=world.run)


def test_a_row_without_an_answer_is_never_left_out_silently(world: World) -> None:
    trained(world)
    encoded(world)
    transformed(world)
    world.put(f"runs/{RUN_ID}/data/batch.json", json.dumps({"rows": [6, 1]}).encode())
    world.put(f"runs/{RUN_ID}/transform/part-00001.csv.out", b"0.5\n")
    with pytest.raises(PredictionFailed, match="for number 7 there is no row of the input"):
        write_predictions(RUN_ID, run=world.run)


def test_written_twice_gives_the_same(world: World) -> None:
    trained(world)
    encoded(world)
    transformed(world)
    assert write_predictions(RUN_ID, run=world.run) == write_predictions(RUN_ID, run=world.run)


def test_a_batch_that_was_stopped_meanwhile_does_not_succeed(world: World) -> None:
    trained(world)
    encoded(world)
    transformed(world)
    world.run.store.finish(RUN_ID, "Stopped")
    with pytest.raises(RunFinished):
        write_predictions(RUN_ID, run=world.run)
    assert world.record().status == "Stopped"
