"""A stack of the version before is upgraded: what serves goes on serving, what is recorded is read, what is under way ends."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from sageline.json_objects import Json
from sageline.names import RunLayout
from sageline_local.stack import LocalStack
from tests.ports import free_port
from tests.workflow.conftest import CHECK_INTERVAL_SECONDS
from tests.workflow.workbench import Workbench, csv_text, flowers, until

pytestmark = [pytest.mark.stack, pytest.mark.full]

BEFORE = Path(__file__).parent / "versions" / "0.1.0.tar.xz"
ENCODER_BEFORE, ENCODER_TODAY = 4, 6

QUICK = {"algorithm": {"name": "xgboost", "hyperparameters": {"num_round": 5}}}
BEATS = {**QUICK, "evaluation": {"beat_champion": True}}

TEXTS = ["a warm and tasty soup", "Cold, slow, rude!", "tasty but slow", "", "words that no review has"]
ROWS = [
    {"length": 5, "width": 1.5, "ground": "wet"},
    {"length": "9.1", "width": None, "ground": "dry"},
    {"length": 14.2, "width": 7, "ground": "never seen"},
]


def reviews(rows: int = 240) -> str:
    """Texts of two kinds, which some of their words tell apart."""
    good, bad = ("warm", "tasty", "friendly", "fresh"), ("cold", "slow", "rude", "stale")
    table = []
    for number in range(rows):
        kind, words = [("good", good), ("bad", bad)][number % 2]
        told = f"The food was {words[number // 2 % 4]} and {words[number // 8 % 4]}, visit {number}"
        table.append([told, kind])
    return csv_text(["review", "opinion"], table)


def answers(workbench: Workbench, endpoint: str, rows: Sequence[object]) -> Json:
    answer = workbench.connection.api.predict(endpoint, rows, top_k=2)
    return {"variant": answer["variant"], "predictions": answer["predictions"]}


def stored(workbench: Workbench, key: str) -> Json:
    body = workbench.connection.s3.get_object(Bucket=workbench.connection.bucket, Key=key)["Body"].read()
    document: Json = json.loads(body)
    return document


def spec_of(workbench: Workbench, run_id: str) -> Json:
    return stored(workbench, f"runs/{run_id}/spec.json")


def encoder_version(workbench: Workbench, run_id: str) -> int:
    layout = RunLayout(workbench.connection.bucket, run_id)
    return int(stored(workbench, layout.encoder_prefix + "encoder.json")["version"])


def held_back(stack: LocalStack, run_id: str) -> psutil.Process | None:
    """The process of a training job, stopped where it is; None if there is none yet."""
    for process in psutil.Process(stack.status().pids["sagemaker"]).children(recursive=True):
        if run_id in " ".join(process.cmdline()):
            process.suspend()
            return process
    return None


@dataclass(frozen=True)
class Upgraded:
    """A stack of today's version that was one of the version before, and what was seen on it before.

    Attributes:
        reviews: the run whose model of texts serves; a table's is ``flowers``.
        answers: of both endpoints.
        finished: the runs that had ended, as they were listed.
        waiting: id of the run that is in training, which waits.
        training: its process.
    """

    workbench: Workbench
    reviews: Json
    flowers: Json
    answers: dict[str, Json]
    finished: list[Json]
    waiting: str
    training: psutil.Process


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgraded]:
    directory = tmp_path_factory.mktemp("upgrade")
    with tarfile.open(BEFORE) as archive:
        archive.extractall(directory / "before", filter="data")
    home, port = directory / "home", free_port()
    stack = LocalStack(home, port, directory / "before")
    try:
        before = stack.up(parameters={"CheckIntervalSeconds": str(CHECK_INTERVAL_SECONDS)})
        workbench = Workbench.on(stack, tmp_path_factory.mktemp("datasets"))
        submitted = [
            workbench.submit(name, data, QUICK).run_id for name, data in (("reviews", reviews()), ("flowers", flowers()))
        ]
        of_reviews, of_flowers = map(workbench.wait, submitted)
        assert [of_reviews["status"], of_flowers["status"]] == ["Succeeded"] * 2, (of_reviews["error"], of_flowers["error"])
        said = {"reviews": answers(workbench, "reviews", TEXTS), "flowers": answers(workbench, "flowers", ROWS)}
        waiting = workbench.submit("flowers", flowers(seed=3), BEATS).run_id
        training = until(lambda: held_back(stack, waiting), lambda: f"Run: {workbench.run(waiting)}")
        workbench.wait(waiting, state="CheckTraining")
        finished = [run for run in workbench.connection.api.runs(10) if run["status"] != "Running"]
        assert len(finished) == len(submitted)

        after = LocalStack(home, port).up()

        assert (after.state, after.outputs) == ("up", before.outputs)
        yield Upgraded(workbench, of_reviews, of_flowers, said, finished, waiting, training)
    finally:
        stack.down(delete=True)


class TestAStackOfTheVersionBefore:
    """In the order of a day: each test goes on where the one before has ended."""

    def test_was_one(self, upgraded: Upgraded) -> None:
        workbench = upgraded.workbench
        for run, kind in ((upgraded.reviews, "bag-of-words"), (upgraded.flowers, "table")):
            assert spec_of(workbench, run["run_id"])["encoder"]["kind"] == kind
            assert encoder_version(workbench, run["run_id"]) == ENCODER_BEFORE

    def test_answers_as_before(self, upgraded: Upgraded) -> None:
        for endpoint, rows in (("reviews", TEXTS), ("flowers", ROWS)):
            assert answers(upgraded.workbench, endpoint, rows) == upgraded.answers[endpoint]

    def test_says_of_a_category_that_training_did_not_have_what_only_today_is_said(self, upgraded: Upgraded) -> None:
        warnings = upgraded.workbench.connection.api.predict("flowers", ROWS, 1)["warnings"]
        assert any("never seen" in warning for warning in warnings), warnings

    def test_says_what_serves_and_shows_a_row_that_it_takes(self, upgraded: Upgraded) -> None:
        api = upgraded.workbench.connection.api
        for run in (upgraded.reviews, upgraded.flowers):
            name = run["endpoint_name"]
            assert api.endpoint(name)["variants"][0]["model_version"] == run["run_id"]
            assert "warnings" not in api.predict(name, [api.endpoint(name)["example"]], 1, strict=True)

    def test_shows_its_runs(self, upgraded: Upgraded) -> None:
        workbench = upgraded.workbench
        of_today = workbench.connection.api.runs(10)
        # The one that waits looks for its job now and then, which moves its `updated_at`.
        assert [run for run in of_today if run["status"] != "Running"] == upgraded.finished
        assert [run["run_id"] for run in of_today if run["status"] == "Running"] == [upgraded.waiting]
        for run in (upgraded.reviews, upgraded.flowers):
            assert workbench.run(run["run_id"]) == run

    def test_ends_the_run_that_was_under_way(self, upgraded: Upgraded) -> None:
        workbench = upgraded.workbench
        assert upgraded.training.status() == psutil.STATUS_STOPPED
        upgraded.training.resume()

        run = workbench.wait(upgraded.waiting)

        assert run["status"] in ("Succeeded", "Rejected"), run["error"]
        assert encoder_version(workbench, run["run_id"]) == ENCODER_BEFORE
        assert run["details"]["champion"]["variant"] == upgraded.flowers["run_id"]
        assert "CompareModels" in workbench.states(run["execution_arn"])
        serving = run if run["status"] == "Succeeded" else upgraded.flowers
        answer = workbench.connection.api.predict("flowers", ROWS, 1)
        assert answer["variant"] == serving["run_id"]
        assert answer["predictions"][0]["label"] == "iris"

    def test_compares_a_new_model_with_the_one_that_serves(self, upgraded: Upgraded) -> None:
        workbench = upgraded.workbench
        run = workbench.wait(workbench.submit("reviews", reviews(300), BEATS).run_id)

        assert run["status"] in ("Succeeded", "Rejected"), run["error"]
        assert encoder_version(workbench, run["run_id"]) == ENCODER_TODAY
        assert run["details"]["champion"]["variant"] == upgraded.reviews["run_id"]
        assert "CompareModels" in workbench.states(run["execution_arn"])

    def test_replaces_the_model_that_serves_by_a_new_one(self, upgraded: Upgraded) -> None:
        workbench = upgraded.workbench
        run = workbench.wait(workbench.submit("reviews", reviews(300), QUICK).run_id)

        assert run["status"] == "Succeeded", run["error"]
        assert answers(workbench, "reviews", TEXTS)["variant"] == run["run_id"]
        assert workbench.inventory.left_of(upgraded.reviews) == []

    def test_goes_back_to_the_model_of_before(self, upgraded: Upgraded) -> None:
        workbench = upgraded.workbench
        run = workbench.wait(workbench.connection.api.roll_back("reviews")["run_id"])

        assert run["status"] == "Succeeded", run["error"]
        assert answers(workbench, "reviews", TEXTS) == upgraded.answers["reviews"]

    def test_deletes_its_endpoints(self, upgraded: Upgraded) -> None:
        for endpoint in ("reviews", "flowers"):
            upgraded.workbench.delete(endpoint)
