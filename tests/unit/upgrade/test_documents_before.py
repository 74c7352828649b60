"""Runs of the version before that were under way when the stack was upgraded, and its models: from what it had written."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from sageline.configuration.configure import configure
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.saved import VERSION
from sageline.evaluation.evaluate import evaluate_model
from sageline.json_objects import Json
from sageline.preparation.prepare import prepare_data
from sageline.runs.deployment_record import routed_variant
from sageline.runs.routing import Routing
from sageline.serving.stored import EncoderCache
from tests.unit.evaluation.evaluations import answer, document, held_out, judge, right_but
from tests.unit.upgrade.documents import CASES, DATASET, FOLDER, file, put_back
from tests.unit.world.world import BUCKET, EXECUTION, NEXT_RUN_ID, RUN_ID, World, with_one_algorithm

if TYPE_CHECKING:
    from sageline.runs.payloads import PreparedData

VERSIONS = sorted(path.name for path in FOLDER.iterdir() if (path / "texts").is_dir())
OLD_KINDS = ("texts-weighed", "table-of-options")
"""Cases whose spec asks for a kind of encoder that is called otherwise today."""


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def read(version: str, case: str, stage: str) -> Json:
    found: Json = json.loads(file(version, case, stage).read_text())
    return found


def bytes_of(body: str | Json) -> bytes:
    return body.encode() if isinstance(body, str) else base64.b64decode(body["base64"])


def encoder_of(world: World) -> FittedEncoder:
    layout = world.run.files.layout(RUN_ID)
    return EncoderCache(world.s3).get(layout.uri(layout.encoder_prefix))


def request_body(world: World, case: str) -> bytes:
    return encoder_of(world).body_of(CASES[case].rows, [])


@pytest.mark.parametrize("case", CASES)
class TestARunThatWasConfigured:
    def test_is_prepared(self, world: World, version: str, case: str) -> None:
        put_back(world, read(version, case, "configured"))

        prepared = prepare_data(RUN_ID, run=world.run)

        before: PreparedData = read(version, case, "answers")["prepared"]
        assert {name: channel["rows"] for name, channel in prepared["channels"].items()} == {
            name: channel["rows"] for name, channel in before["channels"].items()
        }
        assert (prepared["test_rows"], prepared["num_class"]) == (before["test_rows"], before["num_class"])
        assert json.loads(world.get(f"runs/{RUN_ID}/encoder/encoder.json"))["version"] == VERSION
        assert request_body(world, case)

    def test_finds_nothing_else_in_the_data_than_when_it_began(self, world: World, version: str, case: str) -> None:
        put_back(world, read(version, case, "configured"))
        prepare_data(RUN_ID, run=world.run)
        assert world.record().details["schema"]["changes"] == []


def test_a_run_whose_spec_named_no_algorithm_is_one_of_the_algorithm_that_was_the_default(world: World, version: str) -> None:
    put_back(world, read(version, "table", "configured"))
    layout = world.run.files.layout(RUN_ID)
    for key in (layout.given_spec_key, layout.spec_key):
        spec = json.loads(world.get(key))
        spec["algorithm"] = {**spec.get("algorithm", {}), "hyperparameters": {"num_round": 7}}
        world.put(key, json.dumps(spec).encode())

    prepare_data(RUN_ID, run=world.run)

    algorithm = world.run.files.read_spec(RUN_ID).algorithm
    assert (algorithm.name, algorithm.hyperparameters["num_round"]) == ("xgboost", 7)


@pytest.mark.parametrize("case", OLD_KINDS)
def test_an_encoder_that_was_asked_for_by_its_old_kind_encodes_as_it_did(world: World, version: str, case: str) -> None:
    put_back(world, read(version, case, "configured"))
    prepare_data(RUN_ID, run=world.run)
    assert request_body(world, case) == bytes_of(read(version, case, "answers")["request_body"])


@pytest.mark.parametrize("case", CASES)
def test_a_model_gets_the_same_bytes_for_the_same_rows(world: World, version: str, case: str) -> None:
    put_back(world, read(version, case, "prepared"))
    assert request_body(world, case) == bytes_of(read(version, case, "answers")["request_body"])


@pytest.mark.parametrize("case", ["texts", "texts-weighed", "table", "image"])
def test_a_run_that_was_in_training_is_judged(world: World, version: str, case: str) -> None:
    put_back(world, read(version, case, "prepared"))
    answer(world, "evaluation", right_but(world, 0))

    assert judge(world)["decision"] == "accepted"

    assert document(world)["metrics"]["accuracy"] == 1.0
    assert document(world)["rows"] == len(held_out(world))


@pytest.mark.parametrize("case", ["texts", "texts-weighed", "table", "image"])
def test_a_model_that_serves_is_asked_about_a_new_ones_rows_as_it_was_about_its_own(
    world: World, version: str, case: str
) -> None:
    put_back(world, read(version, case, "prepared"))
    world.make_models(RUN_ID)
    layout = world.run.files.layout(RUN_ID)
    champion = routed_variant(RUN_ID, layout.uri(layout.encoder_prefix), "text/csv")
    world.run.routings.write(Routing("flowers", (champion,), "2026-11-19T11:00:00.000Z"), None)
    spec = {**CASES[case].spec, "dataset": {"uri": f"s3://{BUCKET}/{DATASET}"}, "evaluation": {"beat_champion": True}}
    configure(EXECUTION, {"run_id": NEXT_RUN_ID, "spec": with_one_algorithm(spec)}, run=world.run)
    prepare_data(NEXT_RUN_ID, run=world.run)
    [part] = world.keys(f"runs/{NEXT_RUN_ID}/data/evaluation/part-")
    right = "".join("0.9\n" if row["label"] == "rose" else "0.1\n" for row in held_out(world))
    world.put(f"runs/{NEXT_RUN_ID}/transform/evaluation/{part.rsplit('/', 1)[1]}.out", right.encode())
    [rows] = json.loads(world.get(f"runs/{NEXT_RUN_ID}/data/evaluation.json"))["validation"]
    for validation in world.keys(f"runs/{NEXT_RUN_ID}/data/evaluation/validation-"):
        world.put(f"runs/{NEXT_RUN_ID}/transform/evaluation/{validation.rsplit('/', 1)[1]}.out", b"0.5\n" * rows)

    assert evaluate_model(NEXT_RUN_ID, run=world.run)["decision"] == "compare"

    [own], [asked] = (
        world.keys(f"runs/{run_id}/data/{of}/part-") for run_id, of in ((RUN_ID, "evaluation"), (NEXT_RUN_ID, "champion"))
    )
    assert world.get(asked) == world.get(own)


def test_its_record_is_shown(world: World, version: str) -> None:
    put_back(world, read(version, "table", "prepared"))
    record = world.record()
    assert (record.status, record.state, record.name) == ("Running", "PrepareData", "flowers")
    assert record.details["schema"]["features"] == {"size": "number", "colour": "category"}
