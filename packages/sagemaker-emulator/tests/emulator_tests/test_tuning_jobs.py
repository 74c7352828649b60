"""Tuning jobs from CreateHyperParameterTuningJob to their end; the trials are training jobs of the tests' own engine."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from emulator_tests.support import ACCOUNT, FAST_IMAGE, IMAGE, ROLE, Api, FakeEventBridge, FakeLambda, Json, add_role, wait_until
from sagemaker_emulator.aws import Aws, Place
from sagemaker_emulator.callers import function_access_key
from sagemaker_emulator.store import Store
from sagemaker_emulator.training.run import Watch
from sagemaker_emulator.tuning.progress import KIND
from sagemaker_emulator.tuning.requests import new_tuning_job
from sagemaker_emulator.tuning.run import TuningRun

X = {"Name": "x", "MinValue": "0", "MaxValue": "1"}
TAG = {"Key": "stack", "Value": "mine"}


def grid(*values: str) -> Json:
    return {"CategoricalParameterRanges": [{"Name": "x", "Values": list(values)}]}


def request(
    name: str, *, jobs: int | None = 3, parallel: int = 1, do: str = "score", image: str = FAST_IMAGE, **config: Any
) -> Json:
    limits = {"MaxParallelTrainingJobs": parallel, **({"MaxNumberOfTrainingJobs": jobs} if jobs else {})}
    job = Api.training_job(name)
    definition = {key: job[key] for key in ("RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig")}
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "score"},
            "ResourceLimits": limits,
            "ParameterRanges": {"ContinuousParameterRanges": [X]},
            "RandomSeed": 1,
            **config,
        },
        "TrainingJobDefinition": {
            **definition,
            "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
            "StaticHyperParameters": {"do": do},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        },
    }


def described(api: Api, name: str) -> Json:
    return api.ok("DescribeHyperParameterTuningJob", HyperParameterTuningJobName=name)


def ended(api: Api, name: str) -> Json:
    def look() -> Json | None:
        job = described(api, name)
        return job if job["HyperParameterTuningJobStatus"] in ("Completed", "Failed", "Stopped") else None

    return wait_until(look)


def run(api: Api, name: str, **changes: Any) -> Json:
    api.ok("CreateHyperParameterTuningJob", **request(name, **changes))
    return ended(api, name)


def trials(api: Api, name: str, **how: Any) -> list[Json]:
    answer = api.ok("ListTrainingJobsForHyperParameterTuningJob", HyperParameterTuningJobName=name, **how)
    found: list[Json] = answer["TrainingJobSummaries"]
    return found


def refused(api: Api, changed: Mapping[str, Any]) -> str:
    answer = api.refused("CreateHyperParameterTuningJob", **changed)
    assert answer.code == "ValidationException"
    return answer.message


@pytest.fixture(scope="module")
def tuned(api: Api) -> Json:
    api.ok("CreateHyperParameterTuningJob", **request("tuned", jobs=5, parallel=2), Tags=[TAG])
    return ended(api, "tuned")


def test_the_best_trial_is_found_and_everything_is_counted(api: Api, tuned: Json) -> None:
    summaries = trials(api, "tuned")

    assert tuned["HyperParameterTuningJobStatus"] == "Completed"
    assert tuned["TrainingJobStatusCounters"] == {
        **{"Completed": 5, "InProgress": 0, "RetryableError": 0, "NonRetryableError": 0, "Stopped": 0}
    }
    assert tuned["ObjectiveStatusCounters"] == {"Succeeded": 5, "Pending": 0, "Failed": 0}
    assert tuned["HyperParameterTuningEndTime"] >= tuned["CreationTime"]
    assert tuned["ConsumedResources"]["RuntimeInSeconds"] >= 1
    best = min(summaries, key=lambda trial: float(trial["TunedHyperParameters"]["x"]))
    assert tuned["BestTrainingJob"] == best
    assert best["ObjectiveStatus"] == "Succeeded"
    assert best["FinalHyperParameterTuningJobObjectiveMetric"] == {
        **{"Type": "Minimize", "MetricName": "score", "Value": float(best["TunedHyperParameters"]["x"])}
    }


def test_a_trial_is_a_training_job_like_any_other(api: Api, tuned: Json) -> None:
    name = tuned["BestTrainingJob"]["TrainingJobName"]
    trial = api.ok("DescribeTrainingJob", TrainingJobName=name)

    assert re.fullmatch(r"tuned-00[1-5]-[0-9a-f]{8}", name)
    assert trial["TuningJobArn"] == tuned["HyperParameterTuningJobArn"]
    assert trial["HyperParameters"] == {
        "do": "score",
        "_tuning_objective_metric": "score",
        **tuned["BestTrainingJob"]["TunedHyperParameters"],
    }
    assert {"Name": "ObjectiveMetric", "Regex": r"score=(\S+)"} in trial["AlgorithmSpecification"]["MetricDefinitions"]
    assert {metric["MetricName"] for metric in trial["FinalMetricDataList"]} == {"score", "ObjectiveMetric"}
    assert trial["ModelArtifacts"]["S3ModelArtifacts"].endswith(f"/{name}/output/model.tar.gz")
    assert api.ok("ListTags", ResourceArn=trial["TrainingJobArn"])["Tags"] == [TAG]
    assert api.ok("ListTags", ResourceArn=tuned["HyperParameterTuningJobArn"])["Tags"] == [TAG]
    assert "_tuned" not in trial


def test_the_definition_is_shown_with_what_sagemaker_injects(tuned: Json) -> None:
    definition = tuned["TrainingJobDefinition"]

    assert definition["StaticHyperParameters"] == {"do": "score", "_tuning_objective_metric": "score"}
    assert definition["AlgorithmSpecification"]["MetricDefinitions"][-1]["Name"] == "ObjectiveMetric"
    assert tuned["HyperParameterTuningJobConfig"]["TrainingJobEarlyStoppingType"] == "Off"


def test_no_more_trials_run_at_a_time_than_allowed(api: Api, tuned: Json) -> None:
    spans = [(trial["CreationTime"], trial["TrainingEndTime"]) for trial in trials(api, "tuned")]

    at_a_time = [sum(start <= moment < end for start, end in spans) for moment, _ in spans]
    assert max(at_a_time) == 2


def test_trials_are_listed_in_the_order_that_is_asked_for_page_by_page(api: Api, tuned: Json) -> None:
    names = [trial["TrainingJobName"] for trial in trials(api, "tuned")]
    by_score = trials(api, "tuned", SortBy="FinalObjectiveMetricValue", SortOrder="Descending")
    first = api.ok("ListTrainingJobsForHyperParameterTuningJob", HyperParameterTuningJobName="tuned", MaxResults=2)
    second = trials(api, "tuned", MaxResults=3, NextToken=first["NextToken"])

    assert names == sorted(names)
    values = [trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for trial in by_score]
    assert values == sorted(values, reverse=True)
    assert [trial["TrainingJobName"] for trial in first["TrainingJobSummaries"] + second] == names
    newest = trials(api, "tuned", SortBy="CreationTime", SortOrder="Descending", StatusEquals="Completed")
    assert [trial["TrainingJobName"] for trial in newest] == names[::-1]
    assert trials(api, "tuned", StatusEquals="Failed") == []


def test_tuning_jobs_are_listed(api: Api, tuned: Json) -> None:
    (summary,) = api.ok("ListHyperParameterTuningJobs", NameContains="tuned")["HyperParameterTuningJobSummaries"]

    assert summary["HyperParameterTuningJobStatus"] == "Completed"
    assert (summary["Strategy"], summary["ResourceLimits"]["MaxNumberOfTrainingJobs"]) == ("Random", 5)
    assert summary["TrainingJobStatusCounters"]["Completed"] == 5
    assert api.ok("ListHyperParameterTuningJobs", StatusEquals="InProgress")["HyperParameterTuningJobSummaries"] == []


def test_the_same_seed_tries_the_same_values(api: Api, tuned: Json) -> None:
    run(api, "again", jobs=5, parallel=2)

    tried = [[trial["TunedHyperParameters"] for trial in trials(api, name)] for name in ("tuned", "again")]
    assert tried[0] == tried[1]


def test_a_tuning_job_with_a_parent_compares_with_the_best_of_both(api: Api, tuned: Json) -> None:
    parents = [{"HyperParameterTuningJobName": "tuned"}]
    child = request("child", jobs=1, ParameterRanges={"ContinuousParameterRanges": [{**X, "MinValue": "0.99"}]})
    warm = {"ParentHyperParameterTuningJobs": parents, "WarmStartType": "IdenticalDataAndAlgorithm"}
    api.ok("CreateHyperParameterTuningJob", **child, WarmStartConfig=warm)

    done = ended(api, "child")

    assert done["BestTrainingJob"]["TrainingJobName"].startswith("child-001-")
    assert done["OverallBestTrainingJob"]["TrainingJobName"] == tuned["BestTrainingJob"]["TrainingJobName"]
    assert done["WarmStartConfig"] == warm


def test_a_deleted_tuning_job_leaves_its_trials(api: Api) -> None:
    run(api, "deleted", jobs=1)
    (trial,) = trials(api, "deleted")

    api.ok("DeleteHyperParameterTuningJob", HyperParameterTuningJobName="deleted")
    api.ok("DeleteHyperParameterTuningJob", HyperParameterTuningJobName="deleted")

    gone = api.refused("DescribeHyperParameterTuningJob", HyperParameterTuningJobName="deleted")
    assert (gone.code, gone.message) == (
        "ResourceNotFound",
        "Amazon SageMaker can't find a tuning job called deleted. Type another name.",
    )
    assert api.ok("DescribeTrainingJob", TrainingJobName=trial["TrainingJobName"])["TrainingJobStatus"] == "Completed"


def test_trials_that_all_fail_fail_the_tuning_job_after_five(api: Api) -> None:
    done = run(api, "failing", jobs=20, parallel=3, do="fail")

    assert done["HyperParameterTuningJobStatus"] == "Failed"
    assert re.fullmatch(
        r"No training job succeeded after \d attempts. Please take a look at the training job failures to get more details.",
        done["FailureReason"],
    )
    assert 5 <= done["TrainingJobStatusCounters"]["NonRetryableError"] <= 7
    assert "BestTrainingJob" not in done
    failed = trials(api, "failing")[0]
    assert failed["ObjectiveStatus"] == "Failed"
    assert failed["FailureReason"] == "AlgorithmError: it was told to, exit code: 1"


def test_trials_that_report_nothing_leave_no_best_one(api: Api) -> None:
    done = run(api, "silent", jobs=2, do="silent")

    assert done["HyperParameterTuningJobStatus"] == "Completed"
    assert done["ObjectiveStatusCounters"] == {"Succeeded": 0, "Pending": 0, "Failed": 2}
    assert "BestTrainingJob" not in done


def test_early_stopping_ends_a_trial_that_does_worse_than_the_median(api: Api) -> None:
    stopping = {"Strategy": "Grid", "TrainingJobEarlyStoppingType": "Auto"}
    done = run(api, "early", jobs=None, **stopping, ParameterRanges=grid("1", "2", "3", "4", "5", "9"))

    (stopped,) = trials(api, "early", StatusEquals="Stopped")
    assert stopped["TunedHyperParameters"] == {"x": "9"}
    assert stopped["ObjectiveStatus"] == "Succeeded"
    assert done["HyperParameterTuningJobStatus"] == "Completed"
    assert done["TrainingJobStatusCounters"]["Stopped"] == 1
    assert done["BestTrainingJob"]["TunedHyperParameters"] == {"x": "1"}


def test_hyperband_stops_a_trial_beyond_the_most_resources(api: Api) -> None:
    limits = {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 2}}
    ranges = {"ContinuousParameterRanges": [{**X, "MinValue": "9", "MaxValue": "10"}]}
    done = run(api, "hyperband", jobs=2, Strategy="Hyperband", StrategyConfig=limits, ParameterRanges=ranges)

    assert done["HyperParameterTuningJobStatus"] == "Completed"
    assert done["TrainingJobStatusCounters"]["Stopped"] == 2


def test_a_target_that_is_reached_completes_the_tuning_job(api: Api) -> None:
    criteria = {"TargetObjectiveMetricValue": 2.5}
    values = grid("3", "2", "1")
    done = run(api, "target", jobs=None, Strategy="Grid", ParameterRanges=values, TuningJobCompletionCriteria=criteria)

    assert done["HyperParameterTuningJobStatus"] == "Completed"
    assert done["TrainingJobStatusCounters"]["Completed"] == 2


def test_trials_that_do_not_get_better_complete_the_tuning_job(api: Api) -> None:
    criteria = {"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3}}
    values = grid("1", "2", "3", "4", "5", "6")
    done = run(api, "flat", jobs=None, Strategy="Grid", ParameterRanges=values, TuningJobCompletionCriteria=criteria)

    assert done["TrainingJobStatusCounters"]["Completed"] == 4
    assert done["TuningJobCompletionDetails"]["NumberOfTrainingJobsObjectiveNotImproving"] == 3


def endless(api: Api, name: str) -> None:
    """A tuning job with a trial that does not end by itself, and has begun."""
    ranges = {"ContinuousParameterRanges": [{**X, "MinValue": "9", "MaxValue": "10"}]}
    api.ok("CreateHyperParameterTuningJob", **request(name, ParameterRanges=ranges))

    def begun() -> bool | None:
        found = trials(api, name)
        running = api.ok("DescribeTrainingJob", TrainingJobName=found[0]["TrainingJobName"]) if found else {}
        return running.get("SecondaryStatus") == "Training" or None

    wait_until(begun)


def test_a_tuning_job_is_stopped_with_its_trials(api: Api) -> None:
    endless(api, "stopped")
    api.ok("StopHyperParameterTuningJob", HyperParameterTuningJobName="stopped")

    done = ended(api, "stopped")

    assert done["HyperParameterTuningJobStatus"] == "Stopped"
    assert done["TrainingJobStatusCounters"] == {
        **{"Completed": 0, "InProgress": 0, "RetryableError": 0, "NonRetryableError": 0, "Stopped": 1}
    }
    again = api.refused("StopHyperParameterTuningJob", HyperParameterTuningJobName="stopped")
    assert again.message == "The request was rejected because the hyperparameter tuning job is in status Stopped."


class EndlessTraining:
    """Training jobs that report nothing and end when they are stopped."""

    def __init__(self) -> None:
        self.running: dict[str, tuple[Json, Watch]] = {}
        self.most = 0

    def start(self, job: Json, watch: Watch) -> None:
        self.running[job["TrainingJobName"]] = (job, watch)
        self.most = max(self.most, len(self.running))

    def stop(self, name: str) -> None:
        job, watch = self.running.pop(name)
        watch.ended({**job, "TrainingJobStatus": "Stopped"})


def test_a_tuning_job_at_the_end_of_its_time_stops_its_trials_and_completes(tmp_path: Path) -> None:
    place, store, training = Place(ACCOUNT, "us-east-1"), Store(tmp_path / "state.db"), EndlessTraining()
    wanted = request("long", jobs=10, parallel=2, image=IMAGE)
    config = wanted["HyperParameterTuningJobConfig"]
    config["HyperParameterTuningJobObjective"]["MetricName"] = "validation:rmse"
    config["ResourceLimits"]["MaxRuntimeInSeconds"] = 0.1
    job = new_tuning_job(place, store, wanted, created=0.0)
    store.insert(KIND, "long", job)

    run = TuningRun(job, place, store, training)  # type: ignore[arg-type]  # the calls that a run makes, nothing else

    assert run.execute().status == "Completed"
    assert (training.most, training.running) == (2, {})
    store.close()


def test_a_tuning_job_has_a_name_of_its_own(api: Api, tuned: Json) -> None:
    taken = api.refused("CreateHyperParameterTuningJob", **request("Tuned"))
    long = api.refused("CreateHyperParameterTuningJob", **request("n" * 33))

    assert taken.code == "ResourceInUse"
    assert "Member must have length less than or equal to 32" in long.message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"jobs": 2, "parallel": 3}, "MaxParallelTrainingJobs [3] must not be greater than MaxNumberOfTrainingJobs [2]."),
        ({"jobs": None}, "MaxNumberOfTrainingJobs must be provided in ResourceLimits."),
        ({"ParameterRanges": {}}, "ParameterRanges must be provided"),
        ({"ParameterRanges": {"ContinuousParameterRanges": [{**X, "Name": "do"}]}}, "Hyperparameters [do] are given both in"),
        ({"ParameterRanges": {"ContinuousParameterRanges": [{**X, "MinValue": "2"}]}}, "range [2, 1] of hyperparameter x"),
        (
            {"ParameterRanges": grid("1", "2")},
            "You don't have enough combinations of hyperparameter ranges. The total number of hyperparameter combinations for "
            "the provided ranges [2.0] must be equal or greater than the value of MaxNumberOfJobs, [3]. Provide additional "
            "ranges.",
        ),
        ({"Strategy": "Grid"}, "Grid search supports categorical hyperparameters only"),
        ({"Strategy": "Grid", "ParameterRanges": grid("1", "2")}, "MaxNumberOfTrainingJobs [3] must be equal to the number"),
        ({"Strategy": "Hyperband"}, "it can not be inferred, because StaticHyperParameters has none of [epochs, numepochs"),
        (
            {"Strategy": "Hyperband", "TrainingJobEarlyStoppingType": "Auto"},
            "TrainingJobEarlyStoppingType must be Off when the strategy is Hyperband",
        ),
        (
            {"Strategy": "Hyperband", "StrategyConfig": {"HyperbandStrategyConfig": {"MinResource": 9, "MaxResource": 3}}},
            "MinResource [9] must not be greater than MaxResource [3].",
        ),
        (
            {"Strategy": "Hyperband", "StrategyConfig": {"HyperbandStrategyConfig": {"MaxResource": 20001}}},
            "MaxResource [20001] must not be greater than 20000.",
        ),
        ({"StrategyConfig": {"HyperbandStrategyConfig": {"MaxResource": 3}}}, "only if Hyperband is the strategy"),
        (
            {"HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"}},
            f"The objective metric for the hyperparameter tuning job, [loss], isn't valid for the [{FAST_IMAGE}] algorithm. "
            "Choose a valid objective metric.",
        ),
        (
            {"image": IMAGE.replace("sagemaker-xgboost:3.2-0", "mine:1")},
            "mine:1: the local SageMaker service has no engine for it. Images that it runs",
        ),
        (
            {"image": IMAGE.replace("sagemaker-xgboost:3.2-0", "sagemaker-scikit-learn:1.4-2")},
            "A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric definitions.",
        ),
        (
            {"TuningJobCompletionCriteria": {"ConvergenceDetected": {"CompleteOnConvergence": "Enabled"}}},
            "ConvergenceDetected is not supported",
        ),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(api: Api, changes: dict[str, Any], message: str) -> None:
    assert message in refused(api, request("refused", **changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Autotune": {"Mode": "Enabled"}}, "Autotune is not supported"),
        ({"TrainingJobDefinition": None}, "Either TrainingJobDefinition or TrainingJobDefinitions must be provided."),
        (
            {"WarmStartConfig": {"ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "no"}]}},
            "The parent hyperparameter tuning job no could not be found.",
        ),
    ],
)
def test_what_is_asked_for_around_the_search_is_checked(api: Api, changes: Json, message: str) -> None:
    changed = {**request("refused"), **changes}
    if "WarmStartConfig" in changed:
        changed["WarmStartConfig"] = {**changed["WarmStartConfig"], "WarmStartType": "TransferLearning"}

    assert message in refused(api, changed)


def test_the_training_jobs_are_checked_before_any_starts(api: Api) -> None:
    bad = request("refused")
    bad["TrainingJobDefinition"]["OutputDataConfig"] = {"S3OutputPath": "https://bucket/output"}

    assert "The S3 URI 'https://bucket/output' of OutputDataConfig.S3OutputPath is not valid" in refused(api, bad)


@pytest.mark.parametrize(("changes", "quota"), [({"jobs": 751}, "is 750"), ({"jobs": 30, "parallel": 11}, "is 10")])
def test_there_are_quotas(api: Api, changes: dict[str, Any], quota: str) -> None:
    answer = api.refused("CreateHyperParameterTuningJob", **request("large", **changes))

    assert answer.code == "ResourceLimitExceeded"
    assert quota in answer.message


@pytest.mark.parametrize(
    ("actions", "denied"),
    [
        (["sagemaker:AddTags", "iam:PassRole"], "sagemaker:CreateHyperParameterTuningJob"),
        (["sagemaker:CreateHyperParameterTuningJob", "iam:PassRole"], "sagemaker:AddTags"),
        (["sagemaker:CreateHyperParameterTuningJob", "sagemaker:AddTags"], "iam:PassRole"),
    ],
)
def test_the_caller_may_tune_tag_and_pass_the_role(api: Api, aws: Aws, actions: list[str], denied: str) -> None:
    name = f"caller-{denied.split(':')[1]}"
    role = add_role(aws, name, {"Effect": "Allow", "Action": actions, "Resource": "*"})
    function = {"FunctionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}", "FunctionName": name, "Role": role}
    functions: FakeLambda = aws.functions  # type: ignore[assignment]  # it is the fake of the fixture
    functions.functions.append(function)
    key = function_access_key(function["FunctionArn"], role)

    answer = api.refused("CreateHyperParameterTuningJob", key=key, **request("denied"), Tags=[TAG])

    assert answer.code == "AccessDeniedException"
    resource = ROLE if denied == "iam:PassRole" else f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:{KIND}/denied"
    assert f"not authorized to perform: {denied} on resource: {resource}" in answer.message


def test_a_change_of_status_is_an_event(api: Api, aws: Aws) -> None:
    bridge: FakeEventBridge = aws.events  # type: ignore[assignment]  # it is the fake of the fixture
    functions: FakeLambda = aws.functions  # type: ignore[assignment]  # it is the fake of the fixture
    target = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:check-status"
    bridge.add("tuning", "SageMaker HyperParameter Tuning Job State Change", target)
    api.ok("CreateHyperParameterTuningJob", **request("told", jobs=1), Tags=[TAG])
    done = ended(api, "told")

    def details() -> list[Json] | None:
        events = [json.loads(invocation["Payload"]) for invocation in functions.invocations]
        found = [event["detail"] for event in events if done["HyperParameterTuningJobArn"] in event["resources"]]
        return found if len(found) == 2 else None

    first, last = wait_until(details)
    assert [detail["HyperParameterTuningJobStatus"] for detail in (first, last)] == ["InProgress", "Completed"]
    assert last["CreationTime"] == str(round(done["CreationTime"] * 1000))
    assert last["TrainingJobStatusCounters"]["Completed"] == 1
    assert last["Tags"] == {"stack": "mine"}
    assert "BestTrainingJob" not in last
    bridge.rules.clear()


def test_a_tuning_job_ends_with_the_service_and_says_so(start: Callable[[], Api]) -> None:
    api = start()
    endless(api, "interrupted")

    api = start()

    done = described(api, "interrupted")
    assert done["HyperParameterTuningJobStatus"] == "Failed"
    assert "the local SageMaker service was shut down while the job was running" in done["FailureReason"]
    assert done["TrainingJobStatusCounters"]["NonRetryableError"] == 1


def test_a_tuning_job_that_a_killed_service_left_running_is_failed_and_reported(start: Callable[[], Api]) -> None:
    api = start()
    run(api, "lost", jobs=1)
    store = Store(api.home / "sagemaker.db")
    store.update(KIND, "lost", lambda job: job.update(HyperParameterTuningJobStatus="InProgress"))
    store.close()

    api = start()

    assert api.client.get("/_emulator/restart-report").json()["failed_tuning_jobs"] == ["lost"]
    assert "the local SageMaker service was killed while the job was running" in described(api, "lost")["FailureReason"]
