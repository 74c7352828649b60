"""Of the candidates of a run the best one by the validation rows becomes the run's own model."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from sageline.errors import CandidatesFailed, InvalidDataset, ObjectMissing, RunFinished
from sageline.failures.record import record_failure
from tests.unit.evaluation.candidates import URI, begun, both, choose, failed, trained, validated
from tests.unit.evaluation.evaluations import FLOWERS, PRICES, encoder_of
from tests.unit.evaluation.test_validate import RARE
from tests.unit.golden import golden_event
from tests.unit.pictures import archive, cats_and_dogs
from tests.unit.world.world import BUCKET, RUN_ID, World

ADOPTED = ("encoder/", "source/", "data/test-raw/", "data/validation-labels/", "transform/evaluation/")
DOCUMENTS = ("data/profile.json", "data/evaluation.json")


FEW = b"".join(FLOWERS.splitlines(keepends=True)[:101])
"""Of which some 20 rows validate."""


def leaderboard(world: World) -> dict[str, dict[str, Any]]:
    return {line["algorithm"]: line for line in world.record().details["candidates"]}


# ---- Which one ----


@pytest.mark.parametrize(("trees", "linear", "expected"), [(2, 7, "xgboost"), (7, 2, "linear-learner"), (3, 3, "xgboost")])
def test_the_most_accurate_one_is_chosen_and_of_equals_the_first(world: World, trees: int, linear: int, expected: str) -> None:
    planned = both(world, trees, linear)

    chosen = choose(world)

    run_id = planned[expected]
    assert chosen == {
        "candidate": run_id,
        "algorithm": expected,
        "model_artifact_uri": f"s3://{BUCKET}/runs/{run_id}/training/{run_id}/output/model.tar.gz",
        "request_content_type": encoder_of(world, run_id).exchange.request_content_type,
    }
    assert [name for name, line in leaderboard(world).items() if line["chosen"]] == [expected]
    json.dumps(chosen)


def test_of_equally_accurate_ones_the_lower_log_loss_is_chosen(world: World) -> None:
    """XGBoost gives a right label 0.9, the linear model, as often right, 0.99. A calibration would make both alike."""
    planned = begun(world, decision={"calibration": "none"})
    validated(world, planned["xgboost"])
    validated(world, planned["linear-learner"], sure=0.99)

    assert choose(world)["algorithm"] == "linear-learner"

    reason = world.run.files.read_spec(RUN_ID).reasons["algorithm.name"]
    assert reason.endswith(", as good as xgboost but with less log loss")


def test_one_that_gives_no_probabilities_is_not_behind_for_that(world: World) -> None:
    planned = begun(world, archive(cats_and_dogs(120)), "zip")
    validated(world, planned["knn"], 2)
    validated(world, planned["tensorflow"], 2)

    assert choose(world)["algorithm"] == "knn", "equally good, so the first"


def test_of_regressions_the_lower_error_is_better(world: World) -> None:
    both(world, 3, 1, data=PRICES, target={"transform": "none"})

    assert choose(world)["algorithm"] == "linear-learner"
    assert leaderboard(world)["linear-learner"]["value"] < leaderboard(world)["xgboost"]["value"]
    assert {line["metric"] for line in leaderboard(world).values()} == {"rmse"}


def test_the_metric_of_the_spec_chooses(world: World) -> None:
    """Fifteen values that are 10 off are worse in all but the median than two that are 10 off."""
    spec = {"data": PRICES, "target": {"transform": "none"}, "evaluation": {"metric": "median_absolute_error"}}
    both(world, 15, 2, **spec)

    assert choose(world)["algorithm"] == "xgboost", "equally good by the median, so the first"
    assert leaderboard(world)["xgboost"]["metric"] == "median_absolute_error"


def test_a_model_of_labels_only_can_be_the_best(world: World) -> None:
    planned = begun(world, archive(cats_and_dogs(120)), "zip")
    validated(world, planned["knn"], 0)
    validated(world, planned["tensorflow"], 3)

    chosen = choose(world)

    assert (chosen["algorithm"], chosen["request_content_type"]) == ("knn", "application/x-recordio-protobuf")


def rare_images() -> bytes:
    """One in eight is a cat."""
    files = cats_and_dogs(400)
    cats = [name for name in files if name.startswith("cat/")]
    for name in cats[: len(cats) * 6 // 7]:
        del files[name]
    return archive(files)


def test_candidates_of_different_metrics_are_compared_by_one_that_all_have(world: World) -> None:
    planned = begun(world, rare_images(), "zip")
    validated(world, planned["knn"], 9)
    validated(world, planned["tensorflow"], 1)
    metrics = {name: world.record(run_id).details["validation"]["metric"] for name, run_id in planned.items()}
    assert metrics == {"knn": "balanced_accuracy", "tensorflow": "average_precision"}

    assert choose(world)["algorithm"] == "tensorflow"

    assert {line["metric"] for line in leaderboard(world).values()} == {"balanced_accuracy"}
    spec = world.run.files.read_spec(RUN_ID)
    assert spec.evaluation.metric == "average_precision", "the model is judged by what its own candidate's would be"


def test_a_metric_that_the_validation_rows_have_no_value_of_leaves_the_choice_to_one_that_they_have(world: World) -> None:
    """mape takes values that are not 0, and a row of the validation may have one."""
    prices = b"size,colour,price\n" + b"".join(b"%d,%s,%d\n" % (i, b"red" if i % 2 else b"blue", 3 * (i % 8)) for i in range(300))
    both(world, 9, 1, data=prices, evaluation={"metric": "mape"}, target={"transform": "none"}, task="regression")

    assert choose(world)["algorithm"] == "linear-learner"
    assert leaderboard(world)["linear-learner"]["metric"] == "rmse"
    assert "rmse" in world.run.files.read_spec(RUN_ID).reasons["algorithm.name"]


# ---- Some, or all, have failed ----


def test_one_that_has_failed_keeps_no_other_from_being_chosen(world: World) -> None:
    planned = begun(world)
    failed(world, planned["xgboost"], "The job ran\nout of memory.")
    validated(world, planned["linear-learner"], 30)

    assert choose(world)["algorithm"] == "linear-learner"

    line = leaderboard(world)["xgboost"]
    assert (line["chosen"], line["value"], line["metric"]) == (False, None, None)
    assert line["problem"] == "The job ran out of memory."
    assert leaderboard(world)["linear-learner"]["problem"] is None


def test_where_all_have_failed_the_run_does_with_each_reason_in_a_table(world: World) -> None:
    planned = begun(world)
    failed(world, planned["xgboost"], "The job ran out of memory.")
    failed(world, planned["linear-learner"], "The job was stopped after 3600 s.")

    with pytest.raises(CandidatesFailed) as refused:
        choose(world)

    assert refused.value.message == (
        "None of the algorithms has left a model:\n"
        "  xgboost         The job ran out of memory.\n"
        "  linear-learner  The job was stopped after 3600 s."
    )
    assert {name: line["problem"] for name, line in leaderboard(world).items()} == {
        "xgboost": "The job ran out of memory.",
        "linear-learner": "The job was stopped after 3600 s.",
    }
    assert world.record().status == "Running", "RecordFailure ends it"


@pytest.mark.parametrize("states", [["PrepareData", "PrepareData"], ["PrepareData", "ConfigureRun"]])
def test_where_all_were_refused_for_the_same_the_run_is_too_in_the_state_that_refused(world: World, states: list[str]) -> None:
    why = f"s3://{BUCKET}/datasets/flowers/data.csv: row 7, column 'size': 'x' is no number."
    for run_id, state in zip(begun(world).values(), states, strict=True):
        failed(world, run_id, why, error="InvalidDataset", state=state)

    with pytest.raises(InvalidDataset) as refused:
        choose(world)
    cause = json.dumps({"errorType": "InvalidDataset", "errorMessage": refused.value.message})
    event: Any = golden_event("record_failure/bad-dataset")  # JSON
    event |= {"trigger": {"run_id": RUN_ID, "spec": {"dataset": {"uri": URI}}}, "execution_arn": world.record().execution_arn}
    event |= {"state": "ChooseCandidate", "cause": cause}
    record_failure(event, run=world.run)

    record = world.record()
    error = record.error or {}
    expected = states[0] if len(set(states)) == 1 else "ChooseCandidate"
    assert (error["state"], error["error"], error["message"]) == (expected, "InvalidDataset", why)
    assert (record.status, record.state) == ("Failed", expected)


def test_one_that_never_began_one_that_never_ended_and_one_that_was_stopped_say_so(world: World) -> None:
    planned = begun(world)
    trained(world, planned["linear-learner"])
    world.run.store.finish(planned["xgboost"], "Stopped")
    never = "flowers-knn-20261120100000-aaaaaa"
    told = [*world.record().details["candidates"], {"run_id": never, "algorithm": "knn"}]
    world.run.store.note(RUN_ID, candidates=told)

    with pytest.raises(CandidatesFailed) as refused:
        choose(world)

    reasons = {line.split()[0]: line.strip().partition("  ")[2].strip() for line in refused.value.message.splitlines()[1:]}
    assert reasons["xgboost"] == "its run was stopped"
    assert reasons["linear-learner"] == "its run ended in PrepareData without saying why"
    assert reasons["knn"] == "its run has not begun"


def test_a_candidate_that_ended_without_answers_is_not_chosen(world: World) -> None:
    planned = begun(world)
    world.run.store.finish(planned["xgboost"], "Succeeded")
    validated(world, planned["linear-learner"], 30)

    assert choose(world)["algorithm"] == "linear-learner"


def test_a_run_that_was_stopped_meanwhile_gets_no_model(world: World) -> None:
    both(world, 1, 2)
    world.run.store.finish(RUN_ID, "Stopped")
    before = world.keys(f"runs/{RUN_ID}/")

    with pytest.raises(RunFinished, match="was stopped"):
        choose(world)

    assert world.keys(f"runs/{RUN_ID}/") == before


def test_what_a_candidate_has_written_and_was_deleted_is_named(world: World) -> None:
    planned = both(world, 1, 2)
    world.s3.delete_object(Bucket=BUCKET, Key=f"runs/{planned['xgboost']}/spec.json")

    with pytest.raises(ObjectMissing, match=f"runs/{planned['xgboost']}/spec.json is gone"):
        choose(world)


@pytest.mark.parametrize(
    "gone", ["encoder/", "data/evaluation.json", "data/test-raw/", "data/validation-labels/", "transform/evaluation/"]
)
def test_what_the_run_needs_next_and_is_gone_is_named_now(world: World, gone: str) -> None:
    planned = both(world, 1, 2)
    for key in world.keys(f"runs/{planned['xgboost']}/{gone}"):
        world.s3.delete_object(Bucket=BUCKET, Key=key)

    with pytest.raises(ObjectMissing, match=f"runs/{planned['xgboost']}/{gone}.* was deleted"):
        choose(world)


# ---- What becomes the run's ----


@pytest.mark.parametrize("expected", ["xgboost", "linear-learner"])
def test_what_the_chosen_one_has_written_is_the_runs_byte_for_byte(world: World, expected: str) -> None:
    planned = begun(world, RARE, evaluation={"metric": "macro_f1"}, decision={"calibration": "none"})
    for name, run_id in planned.items():
        validated(world, run_id, 0 if name == expected else 20)
    world.put(f"runs/{planned[expected]}/encoder/decision.json", b"{}")
    source, target = f"runs/{planned[expected]}/", f"runs/{RUN_ID}/"
    world.put(f"{source}training/trials.json", b'[{"name": "a"}]')

    choose(world)

    copied = [key for prefix in ADOPTED for key in world.keys(f"{source}{prefix}")]
    copied += [f"{source}{name}" for name in (*DOCUMENTS, "training/trials.json")]
    assert f"{source}encoder/decision.json" in copied
    for key in copied:
        assert world.get(target + key.removeprefix(source)) == world.get(key), key
    for prefix in ADOPTED:
        names = [key.removeprefix(source) for key in world.keys(f"{source}{prefix}")]
        assert names == [key.removeprefix(target) for key in world.keys(f"{target}{prefix}")]


def test_what_is_intermediate_of_the_candidate_is_of_the_run_and_the_rest_stays(world: World) -> None:
    both(world, 1, 2)

    choose(world)

    def expires(key: str) -> bool:
        tags = world.s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]
        return tags == [{"Key": "sageline:retention", "Value": "intermediate"}]

    for prefix in ("data/test-raw/", "data/validation-labels/", "transform/evaluation/"):
        assert all(map(expires, world.keys(f"runs/{RUN_ID}/{prefix}"))), prefix
    for prefix in ("encoder/", "spec.json", "data/profile.json"):
        assert not any(map(expires, world.keys(f"runs/{RUN_ID}/{prefix}"))), prefix


def test_the_runs_spec_is_that_of_the_chosen_one_with_what_the_run_does_with_the_model(world: World) -> None:
    spec = {
        "evaluation": {"beat_champion": True, "at_least": {"accuracy": 0.5}},
        "deployment": {"endpoint": "mine", "ttl_hours": 3},
        "budget_usd": 40,
    }
    planned = both(world, 9, 1, **spec)

    choose(world)

    adopted, own = world.run.files.read_spec(RUN_ID), world.run.files.read_spec(planned["linear-learner"])
    assert adopted.name == "flowers"
    assert (adopted.algorithm, adopted.encoder, adopted.tuning, adopted.target, adopted.dataset, adopted.split) == (
        own.algorithm,
        own.encoder,
        own.tuning,
        own.target,
        own.dataset,
        own.split,
    )
    assert adopted.deployment is not None
    assert (adopted.deployment.endpoint, adopted.deployment.ttl_hours, adopted.budget_usd) == ("mine", 3, 40)
    assert (adopted.evaluation.beat_champion, adopted.evaluation.at_least) == (True, {"accuracy": 0.5})
    assert (adopted.evaluation.metric, adopted.evaluation.positive) == (own.evaluation.metric, own.evaluation.positive)


def test_the_spec_of_a_run_with_a_batch_keeps_it(world: World) -> None:
    world.put("datasets/flowers/rows.csv", b"id,size,colour\nx,3,red\n")
    both(world, 1, 2, batch={"input": f"s3://{BUCKET}/datasets/flowers/rows.csv"}, deployment=None)

    choose(world)

    adopted = world.run.files.read_spec(RUN_ID)
    assert adopted.batch is not None
    assert adopted.deployment is None


@pytest.mark.parametrize("preset", ["good", "best"])
def test_a_tuned_one_is_adopted_with_its_tuning(world: World, preset: str) -> None:
    planned = both(world, 1, 2, algorithm={"preset": preset})
    trials = [{"name": "a", "hyperparameters": {"eta": "0.1"}, "seconds": 3}, {"name": "b", "hyperparameters": {"eta": "0.9"}}]
    world.run.store.note(planned["xgboost"], trials=trials, tuning_job={"name": "job", "arn": "arn"})

    choose(world)

    spec = world.run.files.read_spec(RUN_ID)
    assert spec.tuning == world.run.files.read_spec(planned["xgboost"]).tuning
    assert (world.record().details["trials"], world.record().details["tuning_job"]["name"]) == (trials, "job")
    assert leaderboard(world)["xgboost"]["hyperparameters"]["eta"] == "0.1"


def test_the_reasons_say_who_was_chosen_and_are_true_of_the_spec(world: World) -> None:
    both(world, 9, 1)

    choose(world)

    reasons = world.run.files.read_spec(RUN_ID).reasons
    value = leaderboard(world)["linear-learner"]["value"]
    told = f"accuracy {value:.4g}, better than xgboost"
    assert reasons["algorithm.name"] == f"auto (preset quick) has chosen it by the validation rows: {told}"
    assert "encoder.text.max_words" not in reasons, "there is no text"


def test_an_equally_good_one_is_not_said_to_be_better(world: World) -> None:
    both(world, 3, 3)

    choose(world)

    assert (
        world.run.files.read_spec(RUN_ID).reasons["algorithm.name"].endswith(", as good as linear-learner, which comes after it")
    )


def test_one_that_has_failed_is_not_said_to_be_worse(world: World) -> None:
    planned = begun(world)
    failed(world, planned["xgboost"], "out of memory")
    validated(world, planned["linear-learner"])

    choose(world)

    reason = world.run.files.read_spec(RUN_ID).reasons["algorithm.name"]
    assert reason == "auto (preset quick) has chosen it by the validation rows: accuracy 1; xgboost has failed"


def test_what_auto_was_asked_for_is_told_though_the_spec_names_the_chosen_one(world: World) -> None:
    both(world, 1, 2, algorithm={"preset": "good"}, budget_minutes=90)

    for _ in range(2):  # the second time, the run's spec is that of the chosen one already
        choose(world)

        spec = world.run.files.read_spec(RUN_ID)
        assert (spec.algorithm.name, spec.algorithm.preset, spec.budget_minutes) == ("xgboost", None, None)
        assert spec.reasons["algorithm.name"].startswith("auto (preset good, `budget_minutes` 90) has chosen it")
        assert world.record().details["auto"] == {"preset": "good", "budget_minutes": 90}


def test_a_choice_by_few_rows_says_so_in_its_reason(world: World) -> None:
    both(world, 1, 2, data=FEW)

    choose(world)

    rows = world.record().details["rows"]["validation"]
    assert rows < 50
    reason = world.run.files.read_spec(RUN_ID).reasons["algorithm.name"]
    assert f"by the validation rows ({rows}, which is too few to tell models apart): accuracy" in reason


POSTS = b"post,service\n" + b"".join(
    b"how do I store file number %d in a bucket please,s3\nmy machine number %d does not start any more today,ec2\n" % (i, i)
    for i in range(120)
)


def test_what_auto_gives_to_the_encoder_is_told_and_what_the_spec_says_is_not(world: World) -> None:
    planned = begun(world, POSTS, encoder={"kind": "columns", "text": {"max_words": 77}})
    validated(world, planned["xgboost"], 9)
    validated(world, planned["linear-learner"], 1)

    choose(world)

    spec = world.run.files.read_spec(RUN_ID)
    assert spec.reasons["encoder.text.ngrams"] == "2: what auto gives to linear-learner"
    assert "encoder.text.max_words" not in spec.reasons


def test_the_record_has_what_the_chosen_one_has_found_out(world: World) -> None:
    planned = both(world, 1, 2)

    choose(world)

    run, own = world.record(), world.record(planned["xgboost"])
    for name in ("rows", "num_class", "feature_dim", "training_job", "training", "evaluation_transform", "schema"):
        assert run.details[name] == own.details[name], name
    assert (run.state, run.status) == ("ChooseCandidate", "Running")
    assert "validation" not in run.details


def test_the_leaderboard_has_a_line_for_each(world: World) -> None:
    planned = both(world, 2, 7)

    choose(world)

    trees, linear = leaderboard(world)["xgboost"], leaderboard(world)["linear-learner"]
    rows = world.record().details["rows"]
    assert trees | {"standard_error": None} == {
        "run_id": planned["xgboost"],
        "algorithm": "xgboost",
        "chosen": True,
        "metric": "accuracy",
        "value": pytest.approx(1 - 2 / rows["validation"]),
        "standard_error": None,
        "rows": rows["validation"],
        "training_seconds": 60,
        "usd": pytest.approx(0.23 / 60, abs=1e-6),
        "bytes": world.record(planned["xgboost"]).details["model"]["artifact"]["bytes"],
        "milliseconds_per_row": pytest.approx(30_000 / (rows["validation"] + rows["test"]), abs=1e-3),
        "encoder": {"kind": "columns", "columns": encoder_of(world, planned["xgboost"]).feature_dim},
        "hyperparameters": world.run.files.read_spec(planned["xgboost"]).algorithm.hyperparameters,
        "problem": None,
    }
    assert 0 < trees["standard_error"] < linear["standard_error"] < 0.1


def test_the_runs_cost_has_all_candidates_jobs_once_however_often_it_is_chosen(world: World) -> None:
    planned = begun(world)
    validated(world, planned["xgboost"], seconds=600)
    trained(world, planned["linear-learner"], seconds=1200)
    failed(world, planned["linear-learner"], "It fell over.")

    for _ in range(2):
        choose(world)
        cost = world.record().details["cost"]
        assert {job["job"]: job["seconds"] for job in cost["jobs"]} == {planned["xgboost"]: 600, planned["linear-learner"]: 1200}
        assert cost["actual_usd"] == pytest.approx(0.23 / 2, abs=1e-6)
        assert cost["most_usd"] is not None


def test_chosen_twice_is_chosen_once(world: World) -> None:
    both(world, 9, 1, algorithm={"preset": "good"})

    def state() -> tuple[Any, ...]:
        prefix = f"runs/{RUN_ID}/"
        return choose(world), world.record().details, {key: world.get(key) for key in world.keys(prefix)}

    states = [state() for _ in range(3)]
    for first, second in pairwise(states):
        assert first == second


def test_what_adding_up_has_rounded_is_no_standard_error(world: World) -> None:
    planned = both(world, 2, 7)
    validation = world.record(planned["xgboost"]).details["validation"]
    world.run.store.note(planned["xgboost"], validation=validation | {"standard_errors": {"accuracy": 3.065e-15}})

    choose(world)

    assert leaderboard(world)["xgboost"]["standard_error"] == 0
    assert leaderboard(world)["linear-learner"]["standard_error"] > 0.01


def test_an_encoder_without_columns_has_no_number_of_them(world: World) -> None:
    planned = both(world, 2, 7)
    world.run.store.note(planned["linear-learner"], feature_dim=0)

    choose(world)

    assert leaderboard(world)["linear-learner"]["encoder"] == {"kind": "columns", "columns": None}
