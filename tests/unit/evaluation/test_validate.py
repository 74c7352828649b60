"""What a candidate's model has answered for the validation rows is noted, and ends its run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sageline.deployment.discard import discard
from sageline.errors import PredictionFailed, RunFinished
from sageline.evaluation.candidates.validate import validate_candidate
from tests.unit.evaluation.candidates import URI, answered, asked_rows, begun, known_labels, validated
from tests.unit.evaluation.evaluations import FLOWERS, PRICES
from tests.unit.pictures import archive, cats_and_dogs
from tests.unit.world.world import BUCKET, RUN_ID, World

LONG = b"and so on " * 40
POSTS = b"post,service\n" + b"".join(
    b"how do I store file %d in a bucket %s,s3\nmy machine %d does not start %s,ec2\n" % (i, LONG, i, LONG) for i in range(120)
)
"""Long enough for BlazingText."""
THREE = b"size,colour,kind\n" + b"".join(
    b"%d,red,rose\n%d.5,blue,iris\n%d.25,white,lily\n" % (i, i + 300, i + 600) for i in range(120)
)
RARE = b"size,colour,kind\n" + b"".join(b"%d,red,%s\n" % (i, b"rose" if i % 10 == 0 else b"iris") for i in range(800))


def validation(world: World, run_id: str) -> dict[str, Any]:
    found: dict[str, Any] = world.record(run_id).details["validation"]
    return found


@pytest.mark.parametrize(
    ("data", "algorithm", "expected"),
    [
        (FLOWERS, "xgboost", "text/csv"),
        (FLOWERS, "linear-learner", "application/x-recordio-protobuf"),
        (THREE, "xgboost", "text/csv"),
        (THREE, "linear-learner", "application/x-recordio-protobuf"),
        (POSTS, "blazingtext", "application/json"),
    ],
)
def test_a_classifier_is_validated_by_its_answers_for_the_validation_rows(
    world: World, data: bytes, algorithm: str, expected: str
) -> None:
    run_id = begun(world, data, decision={"threshold": "none", "calibration": "none"})[algorithm]

    told = validated(world, run_id, wrong=3)

    rows = world.record(run_id).details["rows"]["validation"]
    assert (told["decision"], told["status"], told["rows"]) == ("validated", "Succeeded", rows)
    noted = validation(world, run_id)
    assert (noted["metric"], noted["rows"]) == ("accuracy", rows)
    assert noted["metrics"]["accuracy"] == pytest.approx(1 - 3 / rows)
    assert 0 < noted["standard_errors"]["accuracy"] < 0.2
    assert noted["request_content_type"] == expected
    assert world.record(run_id).status == "Succeeded"
    json.dumps(told)


@pytest.mark.parametrize("algorithm", ["knn", "tensorflow"])
def test_a_model_of_images_is_validated_whether_it_answers_labels_only_or_not(world: World, algorithm: str) -> None:
    run_id = begun(world, archive(cats_and_dogs(120)), "zip")[algorithm]

    validated(world, run_id, wrong=2)

    noted = validation(world, run_id)
    assert noted["metrics"]["accuracy"] == pytest.approx(1 - 2 / noted["rows"])
    assert (noted["metrics"]["roc_auc"] is None) == (algorithm == "knn")


@pytest.mark.parametrize("algorithm", ["xgboost", "linear-learner"])
@pytest.mark.parametrize("transform", ["none", "log"])
def test_a_regression_is_validated_on_the_scale_of_its_labels(world: World, algorithm: str, transform: str) -> None:
    run_id = begun(world, PRICES, target={"transform": transform})[algorithm]

    validated(world, run_id)

    noted = validation(world, run_id)
    assert (noted["metric"], noted["rows"]) == ("rmse", world.record(run_id).details["rows"]["validation"])
    assert noted["metrics"]["rmse"] == pytest.approx(0.5, rel=1e-3)
    assert noted["metrics"]["r2"] > 0.99


def test_the_metric_of_the_spec_is_noted(world: World) -> None:
    run_id = begun(world, PRICES, evaluation={"metric": "mae"})["xgboost"]

    validated(world, run_id, wrong=1)

    noted = validation(world, run_id)
    assert noted["metric"] == "mae"
    assert noted["metrics"]["mae"] == pytest.approx((10 + 0.5 * (noted["rows"] - 1)) / noted["rows"], rel=1e-3)


def test_the_test_rows_say_nothing_of_a_candidate(world: World) -> None:
    begun_ones = begun(world)

    validated(world, begun_ones["xgboost"], wrong_tests=40)

    assert validation(world, begun_ones["xgboost"])["metrics"]["accuracy"] == 1
    assert world.keys(f"runs/{begun_ones['xgboost']}/evaluation/") == []


def test_a_candidate_answers_with_the_decision_that_it_would_serve_with(world: World) -> None:
    run_id = begun(world, RARE, evaluation={"metric": "macro_f1"}, decision={"calibration": "none"})["xgboost"]
    answered(world, run_id)
    shy = ["0.3" if label == "rose" else "0.1" for label in known_labels(world, run_id, "validation")]
    [key] = world.keys(f"runs/{run_id}/transform/evaluation/validation-")
    world.put(key, "".join(f"{line}\n" for line in shy).encode())

    validate_candidate(run_id, run=world.run)

    assert validation(world, run_id)["metrics"]["macro_f1"] == 1
    assert world.keys(f"runs/{run_id}/encoder/decision.json")


def test_rows_count_as_their_weights_say(world: World) -> None:
    weighted = b"size,colour,weight,kind\n" + b"".join(
        b"%d,red,%d,%s\n" % (i, 1 + 99 * (i % 2), (b"rose", b"iris")[i % 2]) for i in range(300)
    )
    run_id = begun(world, weighted, dataset={"uri": URI, "label": "kind", "weight": "weight"})["xgboost"]
    answered(world, run_id)
    lines = ["0.9" for _ in known_labels(world, run_id, "validation")]
    [key] = world.keys(f"runs/{run_id}/transform/evaluation/validation-")
    world.put(key, "".join(f"{line}\n" for line in lines).encode())

    validate_candidate(run_id, run=world.run)

    assert not 0.2 < validation(world, run_id)["metrics"]["accuracy"] < 0.8, "half of the rows have 99 % of the weight"


def test_its_answers_and_its_artifacts_copy_expire(world: World) -> None:
    run_id = begun(world)["linear-learner"]
    validated(world, run_id)

    kept = [*world.keys(f"runs/{run_id}/transform/"), f"models/{run_id}/model.tar.gz"]
    assert len(kept) == 3
    for key in kept:
        tags = world.s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]
        assert tags == [{"Key": "sageline:retention", "Value": "intermediate"}], key


def test_its_model_goes_when_it_has_answered_and_going_twice_is_no_fault(world: World) -> None:
    run_id = begun(world)["linear-learner"]
    validated(world, run_id)
    assert list(world.fake.models) == [run_id]

    assert discard(run_id, run=world.run) == {"discarded": [f"model/{run_id}"]}

    assert world.fake.models == {}
    assert discard(run_id, run=world.run) == {"discarded": []}
    assert world.record(run_id).status == "Succeeded"


def test_validated_twice_is_validated_once(world: World) -> None:
    run_id = begun(world)["xgboost"]
    first = validated(world, run_id, wrong=1)
    noted = validation(world, run_id)

    assert validate_candidate(run_id, run=world.run) == first
    assert validation(world, run_id) == noted


def test_a_candidate_that_was_stopped_meanwhile_stays_stopped(world: World) -> None:
    run_id = begun(world)["xgboost"]
    answered(world, run_id)
    world.run.store.finish(run_id, "Stopped")

    with pytest.raises(RunFinished, match="was stopped"):
        validate_candidate(run_id, run=world.run)

    assert (world.record(run_id).status, world.record(run_id).details.get("validation")) == ("Stopped", None)


def test_an_answer_that_is_missing_is_named(world: World) -> None:
    run_id = begun(world)["xgboost"]
    answered(world, run_id)
    [key] = world.keys(f"runs/{run_id}/transform/evaluation/validation-")
    world.s3.delete_object(Bucket=BUCKET, Key=key)

    with pytest.raises(PredictionFailed, match=f"has left no s3://{BUCKET}/{key}"):
        validate_candidate(run_id, run=world.run)
    assert world.record(run_id).status == "Running"


def test_answers_for_other_than_all_rows_are_refused(world: World) -> None:
    run_id = begun(world)["linear-learner"]
    answered(world, run_id)
    [key] = world.keys(f"runs/{run_id}/transform/evaluation/validation-")
    [rows] = asked_rows(world, run_id)["validation"]
    world.put(key, b"".join(world.get(key).splitlines(keepends=True)[1:]))

    with pytest.raises(PredictionFailed, match=f"answered for {rows - 1} of {rows} rows"):
        validate_candidate(run_id, run=world.run)


def test_a_run_that_asked_about_no_validation_rows_is_told_what_to_do(world: World) -> None:
    run_id = begun(world)["xgboost"]
    answered(world, run_id)
    asked = asked_rows(world, run_id)
    world.put(f"runs/{run_id}/data/evaluation.json", json.dumps({"rows": asked["rows"]}).encode())
    for key in world.keys(f"runs/{run_id}/data/validation-labels/"):
        world.s3.delete_object(Bucket=BUCKET, Key=key)

    with pytest.raises(PredictionFailed, match=r"no validation rows, .* give `split\.validation` a share"):
        validate_candidate(run_id, run=world.run)


def test_the_run_itself_is_as_it_was(world: World) -> None:
    begun_ones, before = begun(world), world.record(RUN_ID)

    validated(world, begun_ones["xgboost"])

    assert world.record(RUN_ID) == before
