"""Models that are judged by their test rows before anything is deployed: accepted, refused, compared with the one in service."""

from __future__ import annotations

import random

import pytest

from sageline.json_objects import Json
from sageline.names import RunLayout
from tests.workflow.workbench import Workbench, csv_text

pytestmark = pytest.mark.stack

SPLIT = {"train": 0.5, "validation": 0.1, "test": 0.4}
WEAK = {"num_round": 1, "max_depth": 1}
STRONG = {"num_round": 40, "max_depth": 4}
JUDGED = ["RunEvaluationTransform", "EvaluateModel", "Gate"]
COMPARED = ["RunChampionTransform", "CompareModels", "Gate"]
IN_SHARDS = ["EvaluateShards", "WhoHasAsked"]


def herbs(rows: int = 1200) -> str:
    """Two kinds that two numbers together tell apart in most cases, one number alone in fewer."""
    draw = random.Random(1)
    table = []
    for number in range(rows):
        kind, size, weight = [("rue", 5, 2), ("mint", 4, 3)][number % 2]
        table.append([f"{draw.gauss(size, 1):.2f}", f"{draw.gauss(weight, 0.8):.2f}", kind])
    return csv_text(["size", "weight", "kind"], table)


def judged(workbench: Workbench, hyperparameters: Json, evaluation: Json, rows: int = 1200, **sections: Json) -> Json:
    """A run that has ended."""
    algorithm = {"name": "xgboost", "hyperparameters": hyperparameters}
    spec = {"split": SPLIT, "algorithm": algorithm, "evaluation": evaluation, **sections}
    return workbench.wait(workbench.submit("herbs", herbs(rows), spec).run_id)


def serving(workbench: Workbench) -> list[tuple[str, float]]:
    [endpoint] = [found for found in workbench.connection.api.endpoints() if found["name"] == "herbs"]
    return [(variant["model_version"], variant["weight"]) for variant in endpoint["variants"]]


def report(workbench: Workbench, run: Json) -> str:
    s3, layout = workbench.connection.s3, RunLayout(workbench.connection.bucket, run["run_id"])
    return s3.get_object(Bucket=layout.bucket, Key=layout.report_key)["Body"].read().decode()


@pytest.fixture(scope="module")
def champion(workbench: Workbench) -> Json:
    """A weak model in service, the first of its endpoint: there was nobody to beat."""
    return judged(workbench, WEAK, {"beat_champion": True})


def test_the_first_model_has_nobody_to_beat_and_is_deployed(workbench: Workbench, champion: Json) -> None:
    assert champion["status"] == "Succeeded", champion["error"]
    assert serving(workbench) == [(champion["run_id"], 1.0)]
    evaluation = champion["details"]["evaluation"]
    assert evaluation["rows"] == champion["details"]["rows"]["test"]
    assert 0.55 < evaluation["metrics"]["accuracy"] < 0.8
    assert workbench.states(champion["execution_arn"])[6:9] == JUDGED


def test_a_model_below_its_limit_is_refused_and_leaves_the_endpoint_as_it_was(workbench: Workbench, champion: Json) -> None:
    before = workbench.sagemaker.describe_endpoint(EndpointName="herbs")
    run = judged(workbench, STRONG, {"at_least": {"accuracy": 0.999}})

    assert (run["status"], run["error"]) == ("Rejected", None)
    assert run["details"]["evaluation"]["reason"].endswith("at least 0.999 is asked for.")
    assert workbench.states(run["execution_arn"])[6:] == [*JUDGED, "DiscardModel", "Discarded"]
    assert serving(workbench) == [(champion["run_id"], 1.0)]
    after = workbench.sagemaker.describe_endpoint(EndpointName="herbs")
    assert (after["EndpointConfigName"], after["LastModifiedTime"]) == (before["EndpointConfigName"], before["LastModifiedTime"])
    assert "herbs: rejected" in report(workbench, run)


def test_a_better_model_takes_the_place_of_the_one_in_service(workbench: Workbench, champion: Json) -> None:
    run = judged(workbench, STRONG, {"beat_champion": True})

    assert run["status"] == "Succeeded", run["error"]
    assert workbench.states(run["execution_arn"])[6:12] == [*JUDGED, *COMPARED]
    assert serving(workbench) == [(run["run_id"], 1.0)]
    page = report(workbench, run)
    assert "herbs: accepted" in page
    assert champion["run_id"] in page
    assert "lowest and highest" in page, "there are learning curves, from the job's log"


def test_a_worse_model_than_the_one_in_service_is_refused(workbench: Workbench, champion: Json) -> None:
    before = serving(workbench)
    run = judged(workbench, WEAK, {"beat_champion": True})

    assert run["status"] == "Rejected"
    assert run["details"]["evaluation"]["reason"].startswith("The new model is worse: accuracy is 0.")
    assert workbench.states(run["execution_arn"])[6:] == [*JUDGED, *COMPARED, "DiscardModel", "Discarded"]
    assert serving(workbench) == before != [(champion["run_id"], 1.0)]


def test_a_model_is_compared_in_shards_where_it_is_prepared_in_shards(workbench: Workbench, champion: Json) -> None:
    """The shards encode the test rows for the model in service, and read what it answers."""
    run = judged(workbench, WEAK, {"beat_champion": True}, rows=12_000, preparation={"workers": 2})

    assert run["error"] is None
    states = workbench.states(run["execution_arn"])
    again = [*IN_SHARDS, "EvaluateModel", "Gate"]
    expected = [
        *("EvaluateModel", "Gate", *again, *again, *again),
        *("RunChampionTransform", "CompareModels", "Gate", *IN_SHARDS, "CompareModels", "Gate"),
    ]
    first = states.index("EvaluateModel")
    assert states[first : first + len(expected)] == expected
    told = run["details"]["evaluation"]
    works = ("decision", "evaluation", "encoding", "champion")
    assert {work: of["shards"] for work, of in told["shards"].items()} == dict.fromkeys(works, 2)
    assert told["rows"] == run["details"]["rows"]["test"]
    assert "the one in service has 0." in told["reason"]
