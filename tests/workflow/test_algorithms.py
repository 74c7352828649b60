"""A run for each way of training, on the local stack with the real engines: what succeeds, what fails, and in which words."""

from __future__ import annotations

import io
import random
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from sageline.json_objects import Json
from sageline_cli.errors import CommandFailed
from sageline_local.fixture.data import TRAIN
from tests.workflow.workbench import Workbench, csv_text, flowers, houses, until

pytestmark = pytest.mark.stack

STANDARD = {"kind": "columns", "number": {"scale": "standard"}}


def notes(rows: int = 300, seed: int = 0) -> str:
    """Short texts of which two words tell the kind."""
    draw = random.Random(seed)
    words = {"sea": ("wave", "harbour", "sail"), "hill": ("slope", "summit", "goat"), "town": ("street", "tram", "square")}
    filler = ("the", "a", "near", "old", "seen", "today", "again", "quiet")
    table = []
    for number in range(rows):
        kind = list(words)[number % 3]
        text = [*draw.choices(words[kind], k=2), *draw.choices(filler, k=4)]
        draw.shuffle(text)
        table.append([" ".join(text) + f" {number}", kind])
    return csv_text(["note", "kind"], table)


def images(rows: int = 240, seed: int = 0) -> str:
    """4 x 4 pixels: the upper or the lower half is bright."""
    draw = random.Random(seed)
    table = []
    for number in range(rows):
        upper = [draw.randint(120, 255) if number % 2 else draw.randint(0, 90) for _ in range(8)]
        lower = [draw.randint(0, 90) if number % 2 else draw.randint(120, 255) for _ in range(8)]
        table.append([number % 2, *upper, *lower])
    return csv_text(["label", *(f"pixel{place}" for place in range(16))], table)


@dataclass(frozen=True)
class Way:
    """A way of training: data, spec, and rows to predict with what is expected of them."""

    data: Callable[[], str]
    spec: Json
    rows: list[Json]
    expected: list[object]
    metrics: set[str] = field(default_factory=set)


FLOWERS: list[Json] = [
    {"length": 5.0, "width": 1.5, "ground": "wet"},
    {"length": 9.0, "width": 4.0, "ground": "dry"},
    {"length": 14.0, "width": 7.0, "ground": "wet"},
]
KINDS: list[object] = ["iris", "rose", "tulip"]
HOUSES: list[Json] = [{"area": 100.0, "rooms": 3}, {"area": 180.0, "rooms": 2}]
BRIGHT: list[Json] = [{f"pixel{place}": 200 if (place < 8) == upper else 20 for place in range(16)} for upper in (True, False)]

WAYS = {
    "linear-learner-multiclass": Way(
        flowers, {"algorithm": {"name": "linear-learner"}}, FLOWERS, KINDS, {"validation:multiclass_accuracy"}
    ),
    "linear-learner-regression": Way(
        houses,
        {"algorithm": {"name": "linear-learner", "input_mode": "FastFile", "instance_count": 2}},
        HOUSES,
        [115_000, 190_000],
        {"validation:rmse"},
    ),
    "knn-images": Way(images, {"algorithm": {"name": "knn", "hyperparameters": {"k": 3}}}, BRIGHT, ["1", "0"], {"test:accuracy"}),
    "knn-regression": Way(houses, {"algorithm": {"name": "knn"}}, HOUSES, [115_000, 190_000], {"test:mse"}),
    "blazingtext": Way(
        notes,
        {"algorithm": {"name": "blazingtext", "hyperparameters": {"min_count": 1, "epochs": 20, "vector_dim": 16}}},
        [{"note": "A quiet harbour, seen from the sail"}, {"note": "the tram in the old street"}],
        ["sea", "town"],
        {"validation:accuracy"},
    ),
}


def close(answer: Json, expected: object) -> bool:
    if isinstance(expected, str):
        return bool(answer["label"] == expected)
    return bool(abs(answer["value"] - float(str(expected))) < 0.15 * float(str(expected)))


def weighed_notes() -> str:
    """Notes of which the wrong ones weigh nothing: half of those about hills are said to be about the sea."""
    header, *lines = notes().splitlines()
    table = [[f"{header},count"], *([f"{line},{1 + number % 3}"] for number, line in enumerate(lines))]
    wrong = [[f"{line.rpartition(',')[0]},sea,0"] for line in lines if line.endswith(",hill")]
    return "\n".join(line for (line,) in [*table, *wrong]) + "\n"


def prices(rows: int = 300) -> str:
    """Prices that double with every step, some of them a thousand times as high as others."""
    draw = random.Random(0)
    steps = [draw.gauss(5, 1.6) for _ in range(rows)]
    return csv_text(["step", "price"], [[f"{step:.3f}", f"{2**step * draw.uniform(0.98, 1.02):.2f}"] for step in steps])


@pytest.mark.full
def test_rows_that_weigh_nothing_teach_nothing(workbench: Workbench) -> None:
    spec = {"dataset": {"label": "kind", "weight": "count"}, "algorithm": {"name": "xgboost", "class_weight": "balanced"}}

    run = workbench.wait(workbench.submit("weighed-notes", weighed_notes(), spec).run_id)

    assert run["status"] == "Succeeded", run["error"]
    assert run["details"]["evaluation"]["metrics"]["accuracy"] > 0.9
    rows = [{"note": "a goat near the summit"}, {"note": "a wave near the harbour"}]
    found = workbench.connection.api.predict("weighed-notes", rows, 1)["predictions"]
    assert [row["label"] for row in found] == ["hill", "sea"]
    workbench.delete("weighed-notes")


@pytest.mark.full
def test_a_long_tail_is_learnt_and_answered_on_its_own_scale(workbench: Workbench) -> None:
    spec = {"dataset": {"label": "price"}, "algorithm": {"name": "xgboost"}, "evaluation": {"metric": "mape"}}

    run = workbench.wait(workbench.submit("prices", prices(), spec).run_id)

    assert run["status"] == "Succeeded", run["error"]
    assert any("logarithms of 'price' are learnt" in note for note in run["details"]["schema"]["notes"])
    found = workbench.connection.api.predict("prices", [{"step": 5.0}, {"step": 7.0}], 1)["predictions"]
    assert [row["value"] for row in found] == pytest.approx([32, 128], rel=0.2)
    workbench.delete("prices")


@pytest.fixture(scope="module")
def started(workbench: Workbench) -> dict[str, str]:
    """The run of each way: they go on side by side while the tests look at one after the other."""
    return {name: workbench.submit(name, way.data(), way.spec).run_id for name, way in WAYS.items()}


@pytest.mark.parametrize("name", list(WAYS))
def test_each_algorithm_learns_serves_and_is_deleted(workbench: Workbench, started: dict[str, str], name: str) -> None:
    way, run = WAYS[name], workbench.wait(started[name])
    assert run["status"] == "Succeeded", run["error"]

    answer = workbench.connection.api.predict(name, way.rows, 1)

    assert [
        found for found, expected in zip(answer["predictions"], way.expected, strict=True) if not close(found, expected)
    ] == []
    assert way.metrics <= set(run["details"]["training"]["metrics"])
    workbench.delete(name)


def put_source(workbench: Workbench, name: str, script: str) -> str:
    """A script as a source archive in the bucket; its URI."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo("train.py")
        member.size = len(script.encode())
        archive.addfile(member, io.BytesIO(script.encode()))
    key = f"datasets/{name}/source.tar.gz"
    workbench.connection.s3.put_object(Bucket=workbench.connection.bucket, Key=key, Body=buffer.getvalue())
    return f"s3://{workbench.connection.bucket}/{key}"


def script_spec(uri: str, **algorithm: object) -> Json:
    """A scikit-learn script; the table is scaled, which its distances need."""
    script = {"framework": "scikit-learn", "source_dir": uri, "metrics": {"train:rows": "train_rows=([0-9]+)"}}
    return {
        "encoder": STANDARD,
        "algorithm": {"name": "script", "script": script, **algorithm},
    }


def test_a_script_of_ones_own_learns_and_serves(workbench: Workbench) -> None:
    spec = script_spec(put_source(workbench, "own-script", TRAIN))
    run = workbench.wait(workbench.submit("own-script", flowers(), spec).run_id)
    assert run["status"] == "Succeeded", run["error"]

    answer = workbench.connection.api.predict("own-script", FLOWERS, 3)

    assert [prediction["label"] for prediction in answer["predictions"]] == KINDS
    assert all(sum(entry["probability"] for entry in found["top"]) == pytest.approx(1) for found in answer["predictions"])
    assert run["details"]["training"]["metrics"]["train:rows"] > 150
    workbench.delete("own-script")


@pytest.mark.parametrize(
    ("name", "script", "algorithm", "words"),
    [
        ("raises", "raise ValueError('no such column: colour')", {}, ["ValueError", "no such column: colour"]),
        ("exits", "import sys; sys.exit(3)", {}, ["3"]),
        ("leaves-nothing", "print('done')", {}, ["model"]),
    ],
)
def test_a_script_that_fails_is_quoted(workbench: Workbench, name: str, script: str, algorithm: Json, words: list[str]) -> None:
    name = f"script-{name}"
    spec = script_spec(put_source(workbench, name, script), **algorithm)

    run = workbench.wait(workbench.submit(name, flowers(), spec).run_id)

    assert run["status"] == "Failed"
    for word in words:
        assert word in run["error"]["message"], run["error"]
    assert run["error"]["advice"]


def tuning(ranges: Json, **more: object) -> Json:
    return {
        "algorithm": {"name": "xgboost", "hyperparameters": {"num_round": 20}},
        "tuning": {"ranges": ranges, "max_jobs": 4, "max_parallel_jobs": 2, "seed": 3, **more},
    }


def test_a_tuning_deploys_the_best_of_its_trials(workbench: Workbench) -> None:
    ranges = {"max_depth": {"type": "integer", "min": 2, "max": 6}, "eta": {"type": "continuous", "min": 0.05, "max": 0.5}}
    run = workbench.wait(workbench.submit("tuned", houses(), tuning(ranges)).run_id)
    assert run["status"] == "Succeeded", run["error"]

    trials = run["details"]["trials"]
    objectives = [trial["objective"] for trial in trials]
    model = workbench.sagemaker.describe_model(ModelName=run["run_id"])

    assert len(trials) == 4
    assert objectives == sorted(objectives)
    artifact = run["details"]["model"]["artifact"]
    assert trials[0]["name"] in artifact["source_uri"]
    assert model["PrimaryContainer"]["ModelDataUrl"] == artifact["uri"]
    assert {key for trial in trials for key in trial["hyperparameters"]} == {"max_depth", "eta"}
    [value] = workbench.connection.api.predict("tuned", HOUSES[:1], 1)["predictions"]
    assert close(value, 115_000)
    workbench.delete("tuned")


@pytest.mark.parametrize(
    ("name", "spec", "words"),
    [
        ("unknown", {"algorithm": {"name": "knn", "hyperparameters": {"kk": 3}}}, ["kk"]),
        ("beyond", {"algorithm": {"name": "linear-learner", "hyperparameters": {"epochs": 0}}}, ["epochs", "0"]),
        ("backwards", tuning({"max_depth": {"type": "integer", "min": 6, "max": 2}}), ["max_depth", "6", "2"]),
        ("stranger", tuning({"depth": {"type": "integer", "min": 2, "max": 6}}), ["depth"]),
        ("wordless", {"algorithm": {"name": "blazingtext"}}, ["blazingtext", "text"]),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_starts(
    workbench: Workbench, name: str, spec: Json, words: list[str]
) -> None:
    name = f"refused-{name}"
    run = workbench.wait(workbench.submit(name, flowers(), spec).run_id)

    assert run["status"] == "Failed"
    assert run["error"]["state"] in ("ConfigureRun", "PrepareData")
    for word in words:
        assert word in run["error"]["message"]


def test_two_models_share_an_endpoint_each_with_its_own_encoder(workbench: Workbench) -> None:
    instances = {"instances": {"instance_type": "ml.m5.large", "count": 1}}
    first = {
        "algorithm": {"name": "linear-learner"},
        "encoder": STANDARD,
        "deployment": instances,
    }
    second = {"algorithm": {"name": "xgboost"}, "deployment": {**instances, "strategy": "ab", "share": 0.5}}
    linear = workbench.wait(workbench.submit("pair", flowers(), first).run_id)
    boosted = workbench.wait(workbench.submit("pair", flowers(seed=2), second).run_id)
    assert (linear["status"], boosted["status"]) == ("Succeeded", "Succeeded"), boosted["error"]

    until(lambda: workbench.connection.api.predict("pair", [FLOWERS[0]], 1)["variant"] == boosted["run_id"] or None)

    answers = [workbench.connection.api.predict("pair", [FLOWERS[number % 3]], 1) for number in range(30)]

    assert {answer["variant"] for answer in answers} == {linear["run_id"], boosted["run_id"]}
    labels = [answer["predictions"][0]["label"] for answer in answers]
    assert labels == [KINDS[number % 3] for number in range(30)]
    workbench.delete("pair")


def test_a_row_that_the_encoder_cannot_take_is_refused_by_name(workbench: Workbench) -> None:
    run = workbench.wait(
        workbench.submit("strict", flowers(), {"algorithm": {"name": "knn", "hyperparameters": {"k": 3}}}).run_id
    )
    assert run["status"] == "Succeeded", run["error"]

    with pytest.raises(CommandFailed) as failure:
        workbench.connection.api.predict("strict", [FLOWERS[0], {"length": "long"}], 1)

    assert failure.value.code == "InvalidRequest"
    assert "'long' is not a number" in failure.value.message
    workbench.delete("strict")
