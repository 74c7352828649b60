"""One tuning job from its first trial to its last."""

from __future__ import annotations

import queue
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sagemaker_emulator.aws import Place
from sagemaker_emulator.clock import now
from sagemaker_emulator.errors import ServiceError
from sagemaker_emulator.jobs import Ended
from sagemaker_emulator.store import Document, Store
from sagemaker_emulator.training.jobs import KIND as TRAINING_KIND
from sagemaker_emulator.training.jobs import TrainingJobs
from sagemaker_emulator.training.run import Watch
from sagemaker_emulator.tuning.definition import OBJECTIVE, new_trial
from sagemaker_emulator.tuning.progress import KIND, maximizes, objective_of, trials_of
from sagemaker_emulator.tuning.ranges import parse_ranges
from sagemaker_emulator.tuning.search import Candidate, Resources, Search
from sagemaker_emulator.tuning.stopping import Progress, worse_than_median

# SageMaker gives up on a tuning job whose first trials all fail.
_HOPELESS = 5


@dataclass
class Trial:
    name: str
    candidate: Candidate
    values: list[float] = field(default_factory=list)
    stopped: bool = False


class TuningRun:
    """The run of one tuning job. ``execute`` runs in the job's own thread; ``stop`` and ``abort`` may come from any other."""

    def __init__(self, job: Document, place: Place, store: Store, training: TrainingJobs) -> None:
        config = job["HyperParameterTuningJobConfig"]
        self.job = job
        self._place, self._store, self._training = place, store, training
        self._search = search_for(job, store)
        self._most, self._parallel = job["_max_jobs"], config["ResourceLimits"]["MaxParallelTrainingJobs"]
        runtime: int | None = config["ResourceLimits"].get("MaxRuntimeInSeconds")
        self._deadline = time.monotonic() + runtime if runtime else None
        self._early_stopping = config.get("TrainingJobEarlyStoppingType", "Off") == "Auto"
        self._criteria = config.get("TuningJobCompletionCriteria", {})
        self._maximize = maximizes(job)
        self._progress = Progress(maximize=self._maximize)
        self._running: dict[str, Trial] = {}
        self._finished: list[list[float]] = []
        self._launched = self._succeeded = self._failed = 0
        # What happens, in order: (name of a trial, a value or the document of its end), or ("", status or reason) from outside.
        self._news: queue.Queue[tuple[str, float | Document | Ended]] = queue.Queue()
        self._end: Ended | None = None

    def stop(self) -> None:
        """Stop the trials that run, and end as Stopped."""
        self._news.put(("", Ended("Stopped")))

    def abort(self, reason: str) -> None:
        """End at once as Failed; the trials are somebody else's business."""
        self._news.put(("", Ended("Failed", reason)))

    def execute(self) -> Ended:
        """Run the job; returns how it ended."""
        try:
            return self._search_on()
        except Exception:
            # Whatever broke: the trials that run are stopped, and none of them is waited for.
            self._close(Ended("Failed"))
            raise

    def clean_up(self) -> None:
        """It leaves nothing: the trials are training jobs."""

    def completion_details(self) -> Document:
        """As TuningJobCompletionDetails."""
        return {"NumberOfTrainingJobsObjectiveNotImproving": self._progress.not_improving}

    def _search_on(self) -> Ended:
        while True:
            while self._end is None and len(self._running) < self._parallel and self._launch():
                pass
            if not self._running:
                return self._end or self._final()
            try:
                name, news = self._news.get(timeout=self._seconds_left())
            except queue.Empty:
                self._close(Ended("Completed"))
                continue
            if isinstance(news, Ended):
                if news.status == "Failed":
                    return news
                self._close(news)
            elif isinstance(news, float):
                self._measured(self._running[name], news)
            else:
                self._ended(self._running.pop(name), news)

    def _seconds_left(self) -> float | None:
        if self._deadline is None or self._end is not None:
            return None
        return max(0.0, self._deadline - time.monotonic())

    def _final(self) -> Ended:
        return self._hopeless() if self._failed and self._failed == self._launched else Ended("Completed")

    def _hopeless(self) -> Ended:
        return Ended(
            "Failed",
            f"No training job succeeded after {self._failed} attempts. "
            "Please take a look at the training job failures to get more details.",
        )

    def _launch(self) -> bool:
        """Start the next trial; False when there is none."""
        candidate = self._search.ask() if self._launched < self._most else None
        if candidate is None:
            return False
        self._launched += 1
        while True:
            name = f"{self.job['HyperParameterTuningJobName']}-{self._launched:03d}-{secrets.token_hex(4)}"
            document = new_trial(self._place, self.job, name, candidate.values, now())
            if self._store.insert(TRAINING_KIND, name, document):
                break
        self._store.add_tags(document["TrainingJobArn"], self._store.tags(self.job["HyperParameterTuningJobArn"]))
        self._store.update(KIND, self.job["HyperParameterTuningJobName"], lambda job: job["_trials"].append(name))
        self._running[name] = Trial(name, candidate)
        self._training.start(document, Watch(self._listener(name), lambda job: self._news.put((name, job))))
        return True

    def _listener(self, name: str) -> Callable[[str, float], None]:
        def measured(metric: str, value: float) -> None:
            if metric == OBJECTIVE:
                self._news.put((name, value))

        return measured

    def _measured(self, trial: Trial, value: float) -> None:
        trial.values.append(value)
        pruned = self._search.report(trial.candidate, len(trial.values), value)
        hopeless = self._early_stopping and worse_than_median(trial.values, self._finished, maximize=self._maximize)
        if pruned or hopeless:
            self._stop_trial(trial)

    def _ended(self, trial: Trial, document: Document) -> None:
        value = objective_of(document)
        self._finished.append(trial.values)
        self._search.tell(trial.candidate, value, stopped=document["TrainingJobStatus"] == "Stopped")
        self._progress.add(value)
        self._succeeded += document["TrainingJobStatus"] != "Failed"
        self._failed += document["TrainingJobStatus"] == "Failed"
        if self._failed >= _HOPELESS and not self._succeeded:
            self._close(self._hopeless())
        target = self._criteria.get("TargetObjectiveMetricValue")
        patience = self._criteria.get("BestObjectiveNotImproving", {}).get("MaxNumberOfTrainingJobsNotImproving")
        reached = target is not None and self._progress.reached(target)
        if reached or (patience is not None and self._progress.not_improving >= patience):
            self._close(Ended("Completed"))

    def _close(self, end: Ended) -> None:
        """Launch nothing more and stop what runs."""
        self._end = self._end or end
        for trial in self._running.values():
            self._stop_trial(trial)

    def _stop_trial(self, trial: Trial) -> None:
        if not trial.stopped:
            trial.stopped = True
            try:
                self._training.stop(trial.name)
            except ServiceError:
                return  # it has ended meanwhile, and says so next


def search_for(job: Document, store: Store) -> Search:
    """The search that a tuning job asks for, knowing what its parents found."""
    config = job["HyperParameterTuningJobConfig"]
    resources = job.get("_hyperband")
    search = Search(
        config["Strategy"],
        parse_ranges(config["ParameterRanges"]),
        maximize=maximizes(job),
        trials=job["_max_jobs"],
        seed=config.get("RandomSeed"),
        resources=Resources(*resources) if resources else None,
    )
    for parent in (store.get(KIND, name) for name in job["_parents"]):
        for trial in trials_of(store, parent) if parent else ():
            value = objective_of(trial)
            if value is not None:
                search.learn(trial["HyperParameters"], value)
    return search
