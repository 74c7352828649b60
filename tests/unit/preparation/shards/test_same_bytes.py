"""Whatever the shards, the encoder, the profile, the spec, and every encoded row are those of one function."""

from __future__ import annotations

import gzip
import io
import json
import random
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sageline.arrays.blocks import Block, Coverage
from sageline.dataset.readers.source import ReadOptions, open_blocks
from sageline.errors import InvalidDataset, SagelineError
from sageline.preparation.shards.plan_shards import plan_shards, settle_shards
from sageline.storage.dataset_object import open_object
from sageline.storage.dataset_parts import Dataset
from sageline.storage.shards.scanning import scan_shard
from sageline.storage.shards.shard_files import ShardFiles
from tests.unit.preparation.shards.sharded import begin, plan, prepare_alone, prepare_in_shards, written
from tests.unit.world.world import BUCKET, RUN_ID, World, new_world

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FOLDER = "datasets/flowers/"
KEY = f"{FOLDER}data.csv"
WORDS = ["red", "blue", "green", "petal", "leaf", "stem", "tall", "small", "wide", "old", "new", "rose", "tulip", "iris"]


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\n\r') else text


def table(rows: int, seed: int = 0, *, task: str = "classification") -> bytes:
    """Numbers with gaps, categories, dates, texts with line breaks and quotes in them, and a label."""
    chance = random.Random(seed)
    lines = ["id,size,weight,colour,seen,note,kind"]
    for number in range(rows):
        size = "" if chance.random() < 0.1 else f"{chance.gauss(3, 100):.4g}"
        note = " ".join(chance.choice(WORDS) for _ in range(chance.randint(0, 12)))
        note += chance.choice(["", "", ', "so to say"', "\nand so on", ' 5" wide'])
        seen = f"2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        label = chance.choice(["rose", "tulip"]) if task == "classification" else f"{chance.expovariate(1) * 1e3:.3f}"
        cells = [f"a{number}", size, str(chance.randint(0, 9)), chance.choice(WORDS[:3]), seen, note, label]
        lines.append(",".join(map(quoted, cells)))
    return ("\n".join(lines) + "\n").encode()


def both(objects: Mapping[str, bytes], uri: str, shard_bytes: int, **spec: object) -> Iterator[tuple[object, dict[str, bytes]]]:
    """What one function answers and leaves, then what the shards do."""
    for in_shards in (False, True):
        with new_world() as world:
            begin(world, dict(objects), uri, **spec)
            answer: object
            try:
                answer = prepare_in_shards(world, shard_bytes) if in_shards else prepare_alone(world)
            except SagelineError as error:
                answer = (type(error), error.message)
            yield answer, written(world)


def check_same(objects: Mapping[str, bytes], uri: str, shard_bytes: int, **spec: object) -> object:
    (alone, left_alone), (in_shards, left_in_shards) = both(objects, uri, shard_bytes, **spec)
    assert in_shards == alone
    assert left_in_shards.keys() == left_alone.keys()
    for name in left_alone:
        assert left_in_shards[name] == left_alone[name], name
    return alone


def of_one(data: bytes, shard_bytes: int, **spec: object) -> object:
    return check_same({KEY: data}, f"s3://{BUCKET}/{KEY}", shard_bytes, **spec)


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("shard_bytes", [997, 4096, 20_000])
def test_a_table_with_everything_in_it(task: str, shard_bytes: int) -> None:
    answer: Any = of_one(table(250, task=task), shard_bytes)

    assert answer["channels"]["train"]["rows"] > 150


@pytest.mark.parametrize("size", [1, 3])
def test_shards_that_are_merged_in_groups(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sageline.preparation.shards.shard_fit.SHARDS_OF_GROUP", size)

    assert isinstance(of_one(table(300, 2), 2000), dict)


@pytest.mark.parametrize("rare", [1, 2, 3])
def test_a_class_of_few_rows(rare: int) -> None:
    rows = [f"{number},{'ab'[number % 2]}\n" for number in range(200)]
    for number in range(rare):
        rows[40 * number] = f"{number},rare\n"

    assert isinstance(of_one(("size,kind\n" + "".join(rows)).encode(), 300), dict)


@settings(max_examples=settings().max_examples * 3 // 5)  # each prepares a dataset twice
@given(st.integers(0, 1000), st.integers(400, 3000), st.integers(30, 60))
def test_any_table_and_any_cut(seed: int, shard_bytes: int, rows: int) -> None:
    of_one(table(rows, seed, task="classification" if seed % 2 else "regression"), shard_bytes)


@pytest.mark.parametrize(
    "spec",
    [
        {"encoder": {"kind": "columns", "category": {"max_categories": 2}}},
        {"encoder": {"kind": "columns", "number": {"missing": "median", "scale": "standard"}}},
        {"encoder": {"kind": "columns", "text": {"mode": "tf-idf", "ngrams": 2}}},
        {"encoder": {"kind": "columns", "text": {"hash_bits": 10, "mode": "tf-idf"}}},
        {"split": {"by": "time", "column": "seen"}},
        {"split": {"by": "group", "column": "colour"}},
        {"dataset": {"weight": "weight"}},
        {"algorithm": {"name": "linear-learner"}, "encoder": {"kind": "columns", "number": {"missing": "mean"}}},
        {"algorithm": {"name": "knn"}, "encoder": {"kind": "columns", "number": {"missing": "median"}}},
        {"algorithm": {"name": "xgboost", "class_weight": "balanced"}},
    ],
    ids=lambda spec: json.dumps(spec)[:60],
)
def test_whatever_the_spec_asks_for(spec: dict[str, object]) -> None:
    answer = of_one(table(300, 3), 3000, **spec)

    assert isinstance(answer, dict), answer


def as_json_lines(data: bytes) -> bytes:
    import csv  # noqa: PLC0415 # beside what it is for

    rows = csv.DictReader(io.StringIO(data.decode()))
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def as_parquet(data: bytes) -> bytes:
    import csv  # noqa: PLC0415 # as above

    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(csv.DictReader(io.StringIO(data.decode())))), file, row_group_size=50)
    return file.getvalue()


@pytest.mark.parametrize(("name", "convert"), [("data.jsonl", as_json_lines), ("data.parquet", as_parquet)])
def test_other_formats(name: str, convert: Any) -> None:
    answer = check_same({f"{FOLDER}{name}": convert(table(300, 5))}, f"s3://{BUCKET}/{FOLDER}{name}", 4000)

    assert isinstance(answer, dict), answer


def parts(data: bytes, count: int, form: str = "data-{:03}.csv") -> dict[str, bytes]:
    """The rows of a table without line breaks in fields, in several files."""
    header, *lines = data.decode().splitlines(keepends=True)
    return {f"{FOLDER}{form.format(number)}": (header + "".join(lines[number::count])).encode() for number in range(count)}


def plain(rows: int, seed: int = 0) -> bytes:
    chance = random.Random(seed)
    lines = [f"{chance.gauss(0, 1):.3f},{chance.choice(WORDS)},{chance.choice('xy')}\n" for _ in range(rows)]
    return ("size,word,kind\n" + "".join(lines)).encode()


@pytest.mark.parametrize("count", [2, 7, 30])
def test_many_files(count: int) -> None:
    answer = check_same(parts(plain(400), count), f"s3://{BUCKET}/{FOLDER}", 2000)

    assert isinstance(answer, dict), answer


def test_compressed_files() -> None:
    packed = {f"{key}.gz": gzip.compress(body) for key, body in parts(plain(400), 5).items()}

    assert isinstance(check_same(packed, f"s3://{BUCKET}/{FOLDER}", 500), dict)


def test_files_that_say_which_rows_test() -> None:
    files = parts(plain(300), 3, "train-{:03}.csv") | parts(plain(80, 1) + plain(60).partition(b"\n")[2], 2, "test-{:03}.csv")

    answer = check_same(files, f"s3://{BUCKET}/{FOLDER}", 1500)

    assert isinstance(answer, dict), answer


@pytest.fixture
def sample_of_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    """ConfigureRun looks at the first twenty rows only, so that what is wrong comes behind them."""

    def sample(
        s3: S3Client, dataset: Dataset, options: ReadOptions, notes: list[str], piece_bytes: int, *, coverage: Coverage
    ) -> Iterator[Block]:
        part = dataset.parts[0]
        coverage.is_all = False
        with open_object(s3, part) as stream:
            head = b"".join(stream.readline() for _ in range(21))
        yield from open_blocks(io.BytesIO(head), part.uri, dataset.format, options=options, notes=notes)

    monkeypatch.setattr("sageline.configuration.configure.sample_dataset", sample)


@pytest.mark.usefixtures("sample_of_the_beginning")
def test_a_column_that_is_a_number_in_one_shard_and_text_in_another() -> None:
    rows = [f"{number},{'ab'[number % 2]}\n" for number in range(300)]
    rows[280:] = [f"none of {number},{'ab'[number % 2]}\n" for number in range(20)]

    answer = of_one(("size,kind\n" + "".join(rows)).encode(), 500)

    assert answer is not None


@pytest.mark.usefixtures("sample_of_the_beginning")
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["1,a\n", "2,b\n"] * 25 + ["oh,a\n"] + ["2,b\n"] * 50, "row 51"),
        (["1,a\n", "2,b\n"] * 25 + ["2,b,c\n"] + ["2,b\n"] * 50, "row 51"),
        (["1,a\n", "2,b\n"] * 25 + ['"2,b\n'] + ["2,b\n"] * 50, "row 51"),
        (["1,a\n", "2,b\n"] * 10 + ["3,c\n"], "the split leaves"),
    ],
    ids=["no number", "ragged", "open quote", "few rows"],
)
def test_what_is_wrong_is_said_in_the_same_words(rows: list[str], message: str) -> None:
    answer: Any = of_one(("size,kind\n" + "".join(rows)).encode(), 100, dataset={"kinds": {"size": "number"}})

    assert answer[0] is InvalidDataset
    assert message in answer[1]


@pytest.mark.usefixtures("sample_of_the_beginning")
def test_what_is_wrong_in_a_group_of_shards_is_said_in_the_same_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sageline.preparation.shards.shard_fit.SHARDS_OF_GROUP", 2)
    rows = ["1,a\n", "2,b\n"] * 60
    rows[70] = rows[100] = "1,b,c\n"

    answer: Any = of_one(("size,kind\n" + "".join(rows)).encode(), 60)

    assert (answer[0], "row 71" in answer[1]) == (InvalidDataset, True)


def test_an_object_that_is_deleted_meanwhile_fails_the_run_with_its_name() -> None:
    with new_world() as world:
        begin(world, {KEY: table(100)}, f"s3://{BUCKET}/{KEY}")
        version = world.s3.list_object_versions(Bucket=BUCKET, Prefix=KEY)["Versions"][0]["VersionId"]
        world.s3.delete_object(Bucket=BUCKET, Key=KEY, VersionId=version)

        with pytest.raises(SagelineError, match=r"data\.csv: it was deleted while the run went on"):
            prepare_in_shards(world, 2000)


def test_what_is_planned_and_settled_twice_is_the_same(world: World) -> None:
    begin(world, {KEY: table(200)}, f"s3://{BUCKET}/{KEY}")
    planned = plan(world, 2000)
    assert plan_shards(RUN_ID, run=world.run) == planned
    for shard in range(planned["shards"]):
        scan_shard(ShardFiles(world.run.files, RUN_ID), shard)
    settled = settle_shards(RUN_ID, run=world.run)
    left = {key: world.get(key) for key in world.keys("runs/")}

    assert settle_shards(RUN_ID, run=world.run) == settled
    assert {key: world.get(key) for key in world.keys("runs/")} == left


def test_a_shard_that_is_done_twice_changes_nothing(world: World) -> None:
    begin(world, {KEY: table(200)}, f"s3://{BUCKET}/{KEY}")
    first = prepare_in_shards(world, 2000)
    keys, left = world.keys("runs/"), written(world)

    assert prepare_in_shards(world, 2000) == first
    assert (world.keys("runs/"), written(world)) == (keys, left)
