"""Following a run of several algorithms: how each stands."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime

import pytest
from rich.console import Console

from sageline.json_objects import Json
from sageline.runs.timings import StateTime
from sageline_cli.candidates import CandidateProgress, Candidates, progress_line
from sageline_cli.errors import CommandFailed
from sageline_cli.follow import follow
from sageline_cli.timeline import read_history
from tests.unit.cli.fakes import run_record
from tests.unit.cli.leaderboards import LINEAR, PLANNED, TREES
from tests.unit.cli.test_timeline import history

NOW = datetime(2026, 11, 20, 10, 1, tzinfo=UTC)
NOT_THERE = CommandFailed("No run is known.", "RunNotFound")
PROBLEM: Json = {"state": "CheckTraining", "message": "AlgorithmError:\n [bad] rows."}


def parent(state: str = "TrainCandidates", status: str = "Running") -> Json:
    return run_record(state=state, status=status, details={"candidates": PLANNED})


def candidate(run_id: str, state: str, status: str = "Running", **more: object) -> Json:
    return run_record(run_id=run_id, state=state, status=status, **more)


class Records:
    """What the API says of the candidates, one answer a look; the last one for ever."""

    def __init__(self, **answers: list[Json | CommandFailed]) -> None:
        self.answers = {TREES: answers["trees"], LINEAR: answers["linear"]}
        self.asked: list[str] = []

    def __call__(self, run_id: str) -> Json:
        self.asked.append(run_id)
        left = self.answers[run_id]
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, CommandFailed):
            raise answer
        return answer


TRAINS, ANSWERED = candidate(TREES, "CheckTraining"), candidate(TREES, "EvaluateModel", "Succeeded")
FAILED = candidate(LINEAR, "CheckTraining", "Failed", error=PROBLEM)


def look(records: Records, run: Json | None = None) -> list[CandidateProgress]:
    return Candidates(records, lambda: NOW)(run or parent())


def test_each_has_its_own_state_and_seconds() -> None:
    trees, linear = look(Records(trees=[TRAINS], linear=[FAILED]))

    assert (trees.algorithm, trees.state, trees.outcome, trees.seconds) == ("xgboost", "CheckTraining", "running", 60.0)
    assert (linear.algorithm, linear.outcome, linear.seconds) == ("linear-learner", "failed", 24.0)
    assert linear.told == "has failed in CheckTraining: AlgorithmError: [bad] rows."


@pytest.mark.parametrize(
    ("run", "outcome"),
    [
        (parent(), "running"),
        (parent("ConfigureRun"), "running"),
        (parent("ChooseCandidate"), "failed"),
        (parent(status="Failed"), "failed"),
    ],
)
def test_one_without_a_record_may_begin_as_long_as_its_run_trains(run: Json, outcome: str) -> None:
    [_, linear] = look(Records(trees=[TRAINS], linear=[NOT_THERE]), run)
    assert (linear.outcome, linear.told) == (outcome, "has not begun")


def test_one_whose_record_cannot_be_read_for_the_moment_is_left_out() -> None:
    assert [standing.algorithm for standing in look(Records(trees=[TRAINS], linear=[CommandFailed("busy", "Timeout")]))] == [
        "xgboost"
    ]


def test_one_that_has_ended_is_not_looked_at_again() -> None:
    records = Records(trees=[TRAINS], linear=[FAILED])
    candidates = Candidates(records, lambda: NOW)
    candidates(parent())
    assert [standing.outcome for standing in candidates(parent())] == ["running", "failed"]
    assert records.asked == [TREES, LINEAR, TREES]


def test_a_run_of_one_algorithm_has_none() -> None:
    assert look(Records(trees=[TRAINS], linear=[FAILED]), run_record()) == []


def followed(records: Records, *runs: Json, terminal: bool = False) -> list[str]:
    """The lines, without the spaces that align them."""
    left, out = list(runs), io.StringIO()

    def fetch() -> Json:
        return left.pop(0) if len(left) > 1 else left[0]

    def timeline(run: Json) -> list[StateTime]:
        states = [StateTime("ConfigureRun", 1.0), StateTime("TrainCandidates", 24.0, "running")]
        if run["state"] == "TrainCandidates":
            return states
        ended = StateTime("ChooseCandidate", 2.0, "running" if run["status"] == "Running" else "done")
        return [states[0], StateTime("TrainCandidates", 24.0), ended]

    console = Console(file=out, force_terminal=terminal, width=100)
    ticks = iter(range(1000))
    follow(fetch, timeline, console, lambda: float(next(ticks)), lambda _: None, candidates=Candidates(records, lambda: NOW))
    return [" ".join(line.split()) for line in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue()).splitlines()]


def test_each_is_told_when_it_ends_and_before_the_state_in_which_it_did() -> None:
    records = Records(trees=[TRAINS, ANSWERED], linear=[FAILED])

    assert followed(records, parent(), parent(), parent("ChooseCandidate"), parent("ChooseCandidate", "Succeeded")) == [
        "✓ ConfigureRun read the spec, look at the data 1.0 s",
        "✗ linear-learner has failed in CheckTraining: AlgorithmError: [bad] rows. The others go on. 24.0 s",
        "✓ xgboost has answered the validation rows 24.0 s",
        "✓ TrainCandidates train several algorithms 24.0 s",
        "✓ ChooseCandidate choose by the validation rows 2.0 s",
    ]


def test_a_run_seen_only_after_they_have_ended_tells_of_them_all_the_same() -> None:
    records = Records(trees=[ANSWERED], linear=[FAILED])
    lines = followed(records, parent("ChooseCandidate"), parent("ChooseCandidate", "Succeeded"))

    told = ["ConfigureRun", "xgboost", "linear-learner", "TrainCandidates", "ChooseCandidate"]
    assert [line.split()[1] for line in lines] == told
    assert lines[2].endswith("[bad] rows. The run goes on without it. 24.0 s")


def test_a_terminal_shows_those_that_go_on_until_they_end() -> None:
    records = Records(trees=[TRAINS, ANSWERED], linear=[FAILED])
    text = "\n".join(followed(records, parent(), parent("ChooseCandidate", "Succeeded"), terminal=True))

    assert "xgboost train" in text
    assert "xgboost has answered the validation rows" in text


def test_one_that_was_stopped_with_its_run_is_told_in_a_few_words_and_nothing_goes_on() -> None:
    stopped = candidate(LINEAR, "CheckTraining", "Stopped", error={"state": "CheckTraining", "message": "It was stopped in the"})
    lines = followed(Records(trees=[ANSWERED], linear=[stopped]), parent(status="Stopped"))

    assert "✗ linear-learner was stopped in CheckTraining. 24.0 s" in lines
    assert not any("go on" in line or "goes on" in line for line in lines)


def test_that_a_candidate_was_stopped_is_no_sign_that_the_others_go_on() -> None:
    """They may be stopped a moment later, and the run was looked at a moment before."""
    stopped = candidate(LINEAR, "CheckTraining", "Stopped", error={"state": "CheckTraining", "message": "It was stopped in the"})
    lines = followed(Records(trees=[TRAINS], linear=[stopped]), parent(), parent(status="Stopped"))

    assert "✗ linear-learner was stopped in CheckTraining. 24.0 s" in lines
    assert not any("go on" in line or "goes on" in line for line in lines)


def test_training_that_leaves_no_model_is_not_told_as_done() -> None:
    trees = candidate(TREES, "CheckTraining", "Failed", error=PROBLEM)
    records = Records(trees=[TRAINS, trees], linear=[FAILED])
    lines = followed(records, parent(), parent("ChooseCandidate"), parent("ChooseCandidate", "Failed"))

    assert "✗ TrainCandidates train several algorithms 24.0 s" in lines
    assert "✓ ConfigureRun read the spec, look at the data 1.0 s" in lines


def test_that_all_have_failed_is_not_told_as_if_others_went_on() -> None:
    standings = [CandidateProgress(run_id, "xgboost", "failed", told="has failed") for run_id in (TREES, LINEAR)]
    assert progress_line(standings[0], {}, standings).plain == "  ✗ xgboost                has failed."


def test_what_goes_on_for_each_candidate_is_no_state_of_the_run() -> None:
    names = ["ConfigureRun", "TrainCandidates", "RunCandidate", "RunCandidate", "CandidateEnded", "ChooseCandidate"]
    states = read_history(history(*((second, "TaskStateEntered", name) for second, name in enumerate(names))))
    assert [(state.state, state.seconds) for state in states[:2]] == [("ConfigureRun", 1.0), ("TrainCandidates", 4.0)]
    assert states[2].state == "ChooseCandidate"
