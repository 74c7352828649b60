"""Whatever the shards of a batch, its predictions are the same bytes as those that one function writes."""

from __future__ import annotations

import csv
import io
import json
import random
import zlib
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.batch import largest
from sageline.batch.encode import encode_batch
from sageline.batch.shards.encode import encode_batch_shard, merge_batch
from sageline.batch.shards.plan import BATCH_FOLDER, plan_batch_shards, settle_batch_shards
from sageline.batch.shards.write import join_predictions, write_batch_shard
from sageline.batch.write import write_predictions
from sageline.errors import InvalidDataset, PredictionFailed, RunFinished, SagelineError
from sageline.json_objects import Json
from sageline.storage.shards.scanning import scan_shard
from sageline.storage.shards.shard_files import ShardFiles
from tests.unit.batch.batches import OUTPUT, begun, trained
from tests.unit.world.world import RUN_ID, World, new_world

WORDS = ["red", "blue", "green", "old", "new"]
KINDS = [(b"red", b"rose"), (b"blue", b"iris")]
ORDERS = b"size,colour,ordered,kind\n" + b"".join(
    b"%d.5,%s,2021-05-%02d,%s\n" % (i, KINDS[i % 2][0], i % 28 + 1, KINDS[i % 2][1]) for i in range(80)
)
"""What the model was trained with."""


def rows_of(chance: random.Random, rows: int) -> list[dict[str, str]]:
    """Rows with gaps, values that training did not have, dates that are none, line breaks, quotes, and formulas. Some tables lack
    a column of the model."""
    found = []
    lacking = chance.choice(["colour", "ordered", "", "", ""])
    for _ in range(rows):
        words = " ".join(chance.choice(WORDS) for _ in range(chance.randint(0, 6)))
        row = {
            "size": "" if chance.random() < 0.1 else f"{chance.gauss(30, 10):.3g}",
            "colour": chance.choice([*WORDS, "red", "blue", ""]),
            "ordered": chance.choice(["2021-05-30", "soon", "2021-02-31"]) if chance.random() < 0.1 else "2021-05-07",
            "note": words + chance.choice(["", "\n=1+1", ' 5" wide', ", so"]),
            "prediction": chance.choice(["", "=2+2", "ünseen"]),
        }
        found.append({name: value for name, value in row.items() if name != lacking})
    return found


def as_csv(rows: list[dict[str, str]]) -> bytes:
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue().encode()


def as_tsv(rows: list[dict[str, str]]) -> bytes:
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]), delimiter="\t", lineterminator="\r\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue().encode()


def as_json_lines(rows: list[dict[str, str]]) -> bytes:
    lines = [json.dumps({**row, "size": float(row["size"]) if row["size"] else None}, ensure_ascii=False) for row in rows]
    return "".join(f"  {line} \n{'' if number % 3 else chr(10)}" for number, line in enumerate(lines)).rstrip().encode()


def as_parquet(rows: list[dict[str, str]]) -> bytes:
    file = io.BytesIO()
    typed = [{**row, "size": float(row["size"]) if row["size"] else None} for row in rows]
    pq.write_table(pa.Table.from_pylist(typed), file, row_group_size=7)
    return file.getvalue()


FORMATS: dict[str, Callable[[list[dict[str, str]]], bytes]] = {
    "csv": as_csv,
    "tsv": as_tsv,
    "jsonl": as_json_lines,
    "parquet": as_parquet,
}


def transformed(world: World) -> None:
    """A probability of the second class for each encoded row, which is another one for other rows."""
    for key in world.keys(f"runs/{RUN_ID}/data/batch/"):
        answers = [zlib.crc32(line) % 1000 / 1000 for line in world.get(key).splitlines()]
        world.put(f"runs/{RUN_ID}/transform/{key.rsplit('/', 1)[1]}.out", "".join(f"{answer}\n" for answer in answers).encode())


def score_alone(world: World) -> Json:
    encoded = encode_batch(RUN_ID, run=world.run)
    transformed(world)
    return {"encoded": encoded["rows"], "written": write_predictions(RUN_ID, run=world.run)}


def plan(world: World, shard_bytes: int) -> int:
    """What the state machine does until rows are encoded; how many shards there are."""
    batch = world.record().details["batch"]
    world.run.store.note(RUN_ID, batch=batch | {"plan": {"workers": 2, "shards": 2, "shard_bytes": shard_bytes, "growth": 1.0}})
    planned = plan_batch_shards(RUN_ID, run=world.run)
    if planned["scan"]:
        for shard in reversed(range(planned["shards"])):  # in no particular order
            scan_shard(ShardFiles(world.run.files, RUN_ID, BATCH_FOLDER), shard)
        planned = settle_batch_shards(RUN_ID, run=world.run)
    return planned["shards"]


def encode_in_shards(world: World, shard_bytes: int) -> tuple[int, int]:
    shards = plan(world, shard_bytes)
    for shard in reversed(range(shards)):
        encode_batch_shard(RUN_ID, shard, run=world.run)
    return shards, merge_batch(RUN_ID, run=world.run)["rows"]


def score_in_shards(world: World, shard_bytes: int) -> Json:
    shards, rows = encode_in_shards(world, shard_bytes)
    transformed(world)
    for shard in reversed(range(shards)):
        write_batch_shard(RUN_ID, shard, run=world.run)
    return {"encoded": rows, "written": join_predictions(RUN_ID, run=world.run)}


def outcome(world: World, score: Callable[[], Json]) -> Json:
    """What is answered, written, and warned of; or what was wrong."""
    try:
        answered = score()
    except SagelineError as error:
        return {"error": type(error), "message": error.message}
    details = world.record().details
    name = answered["written"]["uri"].rpartition(".")[2]
    return {**answered, "bytes": world.get(f"{OUTPUT}.{name}"), "warnings": details["batch"]["warnings"], "rows": details["rows"]}


def both(rows: bytes, extension: str, shard_bytes: int, **asked: object) -> tuple[Json, Json]:
    """The outcome of one function alone, and of shards."""
    scores: list[Callable[[World], Json]] = [score_alone, lambda world: score_in_shards(world, shard_bytes)]
    alone, in_shards = (outcome_of(rows, extension, score, asked) for score in scores)
    return alone, in_shards


def outcome_of(rows: bytes, extension: str, score: Callable[[World], Json], asked: Json) -> Json:
    with new_world() as world:
        trained(world, ORDERS)
        begun(world, rows, f"batch/flowers/rows.{extension}", **asked)
        return outcome(world, lambda: score(world))


@given(st.integers(0, 1 << 30), st.sampled_from(sorted(FORMATS)), st.integers(60, 3000), st.integers(1, 60))
def test_any_table_and_any_cut(seed: int, extension: str, shard_bytes: int, rows: int) -> None:
    body = FORMATS[extension](rows_of(random.Random(seed), rows))

    alone, in_shards = both(body, extension, shard_bytes, escape_formulas=bool(seed % 2))

    assert alone["written"]["rows"] == rows
    assert in_shards == alone


def test_warnings_are_those_of_all_rows_with_their_numbers() -> None:
    lines = [b"2021-05-07,red,%d.5\n" % row for row in range(1, 201)]
    lines[89], lines[3], lines[120], lines[2] = (
        b"soon,green,1\n",
        b"soon,blue,1\n",
        b"2021-05-07,blue,x y\n",
        b"2021-05-07,old,1\n",
    )
    rows = b"ordered,colour,price\n" + b"".join(lines)

    alone, in_shards = both(rows, "csv", 500)

    assert in_shards == alone
    assert alone["warnings"] == [
        "unknown column 'price' is ignored.",
        "column 'size' is absent and taken for missing.",
        "row 3 and 1 more, column 'colour': 'old', 'green' are values that training did not have, or only once.",
        "row 4 and 1 more, column 'ordered': 'soon' are no dates as the column's are, year first as in 2021-05-30, and taken for "
        "missing.",
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [(b"oh,red,2021-05-07\n", "row 51, column 'size': 'oh' is not a number"), (b"1,red\n", "row 51"), (b'1,"red\n', "row 51")],
    ids=["no number", "ragged", "open quote"],
)
def test_what_is_wrong_is_said_in_the_same_words_for_the_first_shard(row: bytes, message: str) -> None:
    lines = [b"1.5,red,2021-05-07\n"] * 100
    lines[50] = row
    lines[90] = b"late,red,2021-05-07\n"

    alone, in_shards = both(b"size,colour,ordered\n" + b"".join(lines), "csv", 300)

    assert in_shards == alone
    assert (alone["error"], message in alone["message"]) == (InvalidDataset, True)


def test_columns_that_must_be_there_are_asked_for_in_the_same_words() -> None:
    alone, in_shards = both(b"price,name\n" + b"1,a\n" * 100, "csv", 100)

    assert in_shards == alone
    assert "none of the model's columns is there" in alone["message"]


def test_a_header_that_is_longer_than_a_shard_stands_once_before_the_rows() -> None:
    names = ["size", "colour", *(f"unknown_{number:03}" for number in range(60))]
    rows = ",".join(names).encode() + b"\n" + b"".join(b"%d,red%s\n" % (row, b"," * 60) for row in range(40))

    alone, in_shards = both(rows, "csv", 200)

    assert in_shards == alone
    assert alone["bytes"].count(b"prediction") == 1


def test_keys_of_the_first_line_say_what_all_lines_get() -> None:
    """As in one function: ``prediction`` is a key of later lines only."""
    first = b'{"size": 1.5, "colour": "red", "ordered": null}\n'
    rows = first + b"".join(b'{"size": %d, "colour": "blue", "prediction": 1}\n' % row for row in range(40))

    alone, in_shards = both(rows, "jsonl", 200)

    assert in_shards == alone
    assert json.loads(alone["bytes"].splitlines()[0]).keys() == {"size", "colour", "ordered", "prediction", "probability"}


@pytest.fixture
def orders(world: World) -> World:
    """A batch of a hundred rows, ready to be scored."""
    trained(world, ORDERS)
    begun(world, b"size,colour,ordered\n" + b"".join(b"%d.5,red,2021-05-07\n" % row for row in range(100)))
    return world


def test_missing_answers_are_named_by_the_rows_of_the_whole_batch(orders: World) -> None:
    shards, _ = encode_in_shards(orders, 500)
    transformed(orders)
    for key in orders.keys(f"runs/{RUN_ID}/transform/part-0000")[2:]:
        orders.s3.delete_object(Bucket=orders.run.files.bucket, Key=key)
    for shard in range(shards):
        write_batch_shard(RUN_ID, shard, run=orders.run)
    parts = json.loads(orders.get(f"runs/{RUN_ID}/data/batch.json"))["rows"]

    with pytest.raises(PredictionFailed) as caught:
        join_predictions(RUN_ID, run=orders.run)

    missing = f"part-00002-00000.csv.out, the answers for rows {sum(parts[:2]) + 1} to {sum(parts[:3])}."
    assert str(caught.value).endswith(missing)


def test_a_shard_that_is_done_twice_changes_nothing(orders: World) -> None:
    score_in_shards(orders, 500)
    left = {key: orders.get(key) for key in orders.keys("runs/")}

    for again in (encode_batch_shard, write_batch_shard):
        again(RUN_ID, 1, run=orders.run)
    assert merge_batch(RUN_ID, run=orders.run)["rows"] == 100
    join_predictions(RUN_ID, run=orders.run)

    assert {key: orders.get(key) for key in orders.keys("runs/")} == left


def test_shards_of_a_batch_lie_beside_those_of_the_runs_dataset(orders: World) -> None:
    score_in_shards(orders, 500)

    assert {key.split("/")[3] for key in orders.keys(f"runs/{RUN_ID}/shards/")} == {"batch"}


def test_a_batch_that_was_stopped_meanwhile_is_not_gone_on_with(orders: World) -> None:
    encode_in_shards(orders, 500)
    orders.run.store.finish(RUN_ID, "Stopped")

    for use_case in (plan_batch_shards, merge_batch):
        with pytest.raises(RunFinished):
            use_case(RUN_ID, run=orders.run)
    assert orders.record().status == "Stopped"


UTF_16 = ("size,colour,ordered\n" + "1.5,réd,2021-05-07\n" * 60).encode("utf-16")


def test_a_text_that_cannot_be_cut_is_one_shard() -> None:
    alone, in_shards = both(UTF_16, "csv", 300)

    assert in_shards == alone
    assert alone["written"]["rows"] == 60


def test_what_cannot_be_cut_and_is_too_much_for_one_function_is_refused_before_it_is_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(world, ORDERS)
    begun(world, UTF_16)
    monkeypatch.setitem(largest.LARGEST_BYTES, "columns", 1000)

    with pytest.raises(InvalidDataset, match=r"are to be read by one function \(it is in utf-16.*several smaller files"):
        plan(world, 300)
