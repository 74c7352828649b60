"""The model of the chosen candidate is judged, deployed, compared and restored as that of a run of one algorithm."""

from __future__ import annotations

import pytest

from sageline.deployment.deploy import deploy
from sageline.evaluation.evaluate import compare_models, evaluate_model
from sageline.models.create import create_model, make_models
from tests.unit.batch.batches import MODEL
from tests.unit.batch.batches import trained as serves
from tests.unit.evaluation.candidates import answered, begun, both, choose, failed, known_labels, validated
from tests.unit.evaluation.evaluations import FLOWERS, PRICES, answer, document, encoder_of, held_out, right_but
from tests.unit.pictures import archive, cats_and_dogs
from tests.unit.world.world import BUCKET, ROLES, RUN_ID, World


def made(world: World) -> None:
    chosen = choose(world)
    create_model(RUN_ID, chosen["model_artifact_uri"], roles=ROLES, run=world.run)


def test_the_runs_model_is_a_copy_of_its_own_of_the_chosen_artifact_and_stays(world: World) -> None:
    planned = both(world, 9, 1)

    made(world)

    assert world.get(f"models/{RUN_ID}/model.tar.gz") == world.get(f"models/{planned['linear-learner']}/model.tar.gz")
    assert world.s3.get_object_tagging(Bucket=BUCKET, Key=f"models/{RUN_ID}/model.tar.gz")["TagSet"] == []
    image = world.fake.models[RUN_ID]["PrimaryContainer"]["Image"]
    assert "linear-learner" in image


@pytest.mark.parametrize("expected", ["xgboost", "linear-learner"])
def test_only_the_test_rows_judge_the_chosen_one(world: World, expected: str) -> None:
    planned = begun(world)
    for name, run_id in planned.items():
        validated(world, run_id, 0 if name == expected else 20, wrong_tests=4)
    made(world)

    evaluated = evaluate_model(RUN_ID, run=world.run)

    rows = len(held_out(world))
    assert (evaluated["decision"], evaluated["rows"]) == ("accepted", rows)
    assert evaluated["metrics"]["accuracy"] == pytest.approx(1 - 4 / rows)
    assert document(world)["rows"] == rows == len(known_labels(world, RUN_ID, "rows"))


def test_that_few_validation_rows_have_chosen_is_a_warning_about_the_model(world: World) -> None:
    both(world, 1, 2, data=b"".join(FLOWERS.splitlines(keepends=True)[:101]))
    made(world)

    evaluate_model(RUN_ID, run=world.run)

    rows = world.record().details["rows"]["validation"]
    [warning] = [text for text in document(world)["warnings"] if "was chosen among" in text]
    assert warning.startswith(f"xgboost was chosen among 2 algorithms by {rows} validation rows only. It takes at least 50")
    assert warning in world.record().details["evaluation"]["warnings"]


@pytest.mark.parametrize("case", ["enough rows", "one that answered"])
def test_no_choice_or_one_by_many_rows_is_no_warning(world: World, case: str) -> None:
    few = b"".join(FLOWERS.splitlines(keepends=True)[:101])
    if case == "enough rows":
        both(world, 1, 2)
        made(world)
    else:
        planned = begun(world, few)
        failed(world, planned["xgboost"], "out of memory")
        validated(world, planned["linear-learner"])
        made(world)

    evaluate_model(RUN_ID, run=world.run)

    assert not [text for text in document(world)["warnings"] if "was chosen among" in text]


def test_a_regression_is_judged_too(world: World) -> None:
    both(world, 2, 1, data=PRICES)
    made(world)

    assert evaluate_model(RUN_ID, run=world.run)["decision"] == "accepted"


def test_a_model_of_images_is_judged_too(world: World) -> None:
    planned = begun(world, archive(cats_and_dogs(120)), "zip")
    for run_id in planned.values():
        validated(world, run_id)
    made(world)

    assert evaluate_model(RUN_ID, run=world.run)["metrics"]["accuracy"] == 1


def test_a_chosen_one_that_the_test_rows_refuse_is_refused(world: World) -> None:
    planned = begun(world, evaluation={"at_least": {"accuracy": 0.99}})
    for run_id in planned.values():
        validated(world, run_id, wrong_tests=30)
    made(world)

    assert evaluate_model(RUN_ID, run=world.run)["decision"] == "rejected"
    assert world.record().status == "Rejected"


def test_the_chosen_one_meets_the_model_in_service(world: World) -> None:
    serves(world, FLOWERS, algorithm={"name": "xgboost"})
    both(world, 9, 1, evaluation={"beat_champion": True})
    made(world)

    compared = evaluate_model(RUN_ID, run=world.run)
    assert compared["decision"] == "compare"
    assert compared["transform"]["model_name"] == MODEL
    answer(world, "champion", right_but(world, 25))

    assert compare_models(RUN_ID, run=world.run)["decision"] == "accepted"


def test_the_chosen_one_is_deployed_with_its_own_encoder(world: World) -> None:
    both(world, 9, 1)
    chosen = choose(world)
    create_model(RUN_ID, chosen["model_artifact_uri"], roles=ROLES, run=world.run)
    evaluate_model(RUN_ID, run=world.run)

    deployed = deploy(RUN_ID, chosen["request_content_type"], run=world.run)

    assert deployed["variant"] == RUN_ID
    encoder = encoder_of(world, RUN_ID)
    assert (encoder.answers, encoder.exchange.request_content_type) == ("linear-learner", chosen["request_content_type"])


def test_the_answers_that_were_copied_are_those_that_are_judged(world: World) -> None:
    """Though the candidate's own expire, or are gone by then."""
    planned = both(world, 9, 1)
    made(world)
    for key in world.keys(f"runs/{planned['linear-learner']}/"):
        world.s3.delete_object(Bucket=BUCKET, Key=key)

    assert evaluate_model(RUN_ID, run=world.run)["metrics"]["accuracy"] == 1


def test_a_candidate_that_answers_without_being_the_best_leaves_nothing_in_the_run(world: World) -> None:
    planned = begun(world)
    answered(world, planned["xgboost"], 5)
    validated(world, planned["linear-learner"], 1)

    choose(world)

    assert encoder_of(world, RUN_ID).answers == "linear-learner"
    assert world.record(planned["xgboost"]).status == "Running"


def test_a_model_that_went_is_made_again_though_its_candidate_is_gone(world: World) -> None:
    planned = both(world, 9, 1)
    made(world)
    before = world.fake.models.pop(RUN_ID)
    for key in [*world.keys(f"runs/{planned['linear-learner']}/"), *world.keys(f"models/{planned['linear-learner']}/")]:
        world.s3.delete_object(Bucket=BUCKET, Key=key)

    artifact_uri = world.record().details["training"]["model_artifact_uri"]
    make_models(RUN_ID, artifact_uri, names=[RUN_ID], roles=ROLES, run=world.run)

    assert world.fake.models[RUN_ID]["PrimaryContainer"] == before["PrimaryContainer"]
