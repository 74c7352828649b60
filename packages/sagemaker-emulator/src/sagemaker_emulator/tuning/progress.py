"""What a tuning job's trials say about it: counters, the best one, summaries. Counted anew each time it is asked for."""

from __future__ import annotations

import math
from collections.abc import Iterable

from sagemaker_emulator.clock import now
from sagemaker_emulator.jobs import TERMINAL
from sagemaker_emulator.store import Document, Store, copied
from sagemaker_emulator.training.jobs import KIND as TRAINING_KIND
from sagemaker_emulator.tuning.definition import OBJECTIVE

KIND = "hyper-parameter-tuning-job"


def trials_of(store: Store, tuning_job: Document) -> list[Document]:
    """The training jobs that a tuning job has launched and nobody has deleted, in order."""
    found = (store.get(TRAINING_KIND, name) for name in tuning_job["_trials"])
    return [trial for trial in found if trial is not None and trial.get("TuningJobArn")]


def objective_of(trial: Document) -> float | None:
    """A trial's final objective: the last value that it reported. None while it runs, when it failed or reported none."""
    if trial["TrainingJobStatus"] not in ("Completed", "Stopped"):
        return None
    values = [metric["Value"] for metric in trial.get("FinalMetricDataList", []) if metric["MetricName"] == OBJECTIVE]
    return float(values[-1]) if values and math.isfinite(values[-1]) else None


def objective_status(trial: Document) -> str:
    if trial["TrainingJobStatus"] not in TERMINAL:
        return "Pending"
    return "Failed" if objective_of(trial) is None else "Succeeded"


def best_of(trials: Iterable[Document], *, maximize: bool) -> Document | None:
    """The trial with the best objective among those that left a model; the earlier of two equal ones."""
    scored = [(value, trial) for trial in trials if (value := objective_of(trial)) is not None and trial.get("ModelArtifacts")]
    if not scored:
        return None
    return (max if maximize else min)(scored, key=lambda item: item[0])[1]


def maximizes(tuning_job: Document) -> bool:
    return bool(tuning_job["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["Type"] == "Maximize")


def trial_summary(trial: Document, tuning_job: Document) -> Document:
    """As HyperParameterTrainingJobSummary."""
    objective = tuning_job["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    value = objective_of(trial)
    return {
        **copied(
            trial,
            *("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingStartTime", "TrainingEndTime"),
            *("TrainingJobStatus", "FailureReason"),
        ),
        "TunedHyperParameters": trial["_tuned"],
        "ObjectiveStatus": objective_status(trial),
        **({"FinalHyperParameterTuningJobObjectiveMetric": {**objective, "Value": value}} if value is not None else {}),
    }


def counters(trials: Iterable[Document]) -> Document:
    """The two groups of counters of Describe and List."""
    of_jobs = dict.fromkeys(("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped"), 0)
    of_objectives = dict.fromkeys(("Succeeded", "Pending", "Failed"), 0)
    for trial in trials:
        counted = {"Failed": "NonRetryableError", "Stopping": "InProgress"}.get(trial["TrainingJobStatus"])
        of_jobs[counted or trial["TrainingJobStatus"]] += 1
        of_objectives[objective_status(trial)] += 1
    return {"TrainingJobStatusCounters": of_jobs, "ObjectiveStatusCounters": of_objectives}


def described(store: Store, tuning_job: Document) -> Document:
    """A tuning job as Describe answers it."""
    trials, maximize = trials_of(store, tuning_job), maximizes(tuning_job)
    answer = {name: value for name, value in tuning_job.items() if not name.startswith("_")}
    answer |= counters(trials)
    best = best_of(trials, maximize=maximize)
    if best is not None:
        answer["BestTrainingJob"] = trial_summary(best, tuning_job)
    if tuning_job.get("WarmStartConfig", {}).get("WarmStartType") == "IdenticalDataAndAlgorithm":
        parents = [store.get(KIND, parent) for parent in tuning_job["_parents"]]
        theirs = [trial for parent in parents if parent for trial in trials_of(store, parent)]
        overall = best_of([*trials, *theirs], maximize=maximize)
        if overall is not None:
            answer["OverallBestTrainingJob"] = trial_summary(overall, tuning_job)
    ended = tuning_job.get("HyperParameterTuningEndTime") or now()
    answer["ConsumedResources"] = {"RuntimeInSeconds": math.ceil(ended - tuning_job["CreationTime"])}
    return answer
