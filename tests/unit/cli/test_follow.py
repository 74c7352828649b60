from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from sageline.json_objects import Json
from sageline.runs.timings import StateTime
from sageline_cli.errors import CommandFailed
from sageline_cli.follow import await_start, follow
from tests.unit.cli.fakes import run_record


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.naps: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds


def fetch_from(*answers: Json | CommandFailed) -> Callable[[], Json]:
    """Gives each answer once, then the last one for ever."""
    left = list(answers)

    def fetch() -> Json:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, CommandFailed):
            raise answer
        return answer

    return fetch


def in_state(state: str) -> Json:
    return run_record(status="Running", state=state)


NOT_THERE = CommandFailed("No run is known.", "RunNotFound")
TROUBLE = CommandFailed("It did not answer.", "Timeout")


def timeline(run: Json) -> list[StateTime]:
    """Two states when the run is in the second; a run that has ended has left both."""
    if run["state"] == "PrepareData":
        return [StateTime("PrepareData", 1.5, "running")]
    return [
        StateTime("PrepareData", 1.5, "done"),
        StateTime("CheckTraining", 12.25, "running" if run["status"] == "Running" else "done"),
    ]


def show(*answers: Json | CommandFailed, time: Time | None = None, terminal: bool = False) -> tuple[Json, str]:
    time = time or Time()
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=100)
    run = follow(fetch_from(*answers), timeline, console, time.clock, time.sleep)
    return run, out.getvalue()


def test_each_state_is_shown_once_with_the_seconds_it_took() -> None:
    states = ["PrepareData", "PrepareData", "CheckTraining", "CheckTraining"]
    run, shown = show(*map(in_state, states), run_record())
    assert run["status"] == "Succeeded"
    lines = [line.split() for line in shown.splitlines()]
    assert [(line[1], line[-2]) for line in lines] == [("PrepareData", "1.5"), ("CheckTraining", "12.2")]


@pytest.mark.parametrize("status", ["Succeeded", "Failed", "Stopped"])
def test_following_ends_however_the_run_ends(status: str) -> None:
    assert show(in_state("PrepareData"), run_record(status=status))[0]["status"] == status


def test_a_run_begins_a_moment_after_the_upload() -> None:
    time = Time()
    run = await_start(
        fetch_from(NOT_THERE, NOT_THERE, in_state("ConfigureRun")), Console(file=io.StringIO()), time.clock, time.sleep
    )
    assert run["state"] == "ConfigureRun"
    assert len(time.naps) == 2


def test_a_run_that_never_begins_is_reported_after_a_minute() -> None:
    time = Time()
    with pytest.raises(CommandFailed, match="has not started a run within 60 s") as caught:
        await_start(fetch_from(NOT_THERE), Console(file=io.StringIO()), time.clock, time.sleep)
    assert caught.value.code == "RunNotStarted"
    assert 60 <= time.now < 65


def test_a_lost_connection_is_borne_for_a_while() -> None:
    assert show(in_state("PrepareData"), *[TROUBLE] * 5, run_record())[0]["status"] == "Succeeded"
    with pytest.raises(CommandFailed, match="did not answer"):
        show(in_state("PrepareData"), *[TROUBLE] * 6, run_record())


def test_a_run_that_is_unknown_for_a_while_is_followed_on() -> None:
    unknown = run_record(status="Unknown")
    assert show(in_state("PrepareData"), *[unknown] * 5, in_state("PrepareData"), run_record())[0]["status"] == "Succeeded"
    time = Time()
    assert show(in_state("PrepareData"), unknown, time=time)[0]["status"] == "Unknown"
    assert len(time.naps) == 6


def test_a_refusal_is_not_tried_again() -> None:
    time = Time()
    with pytest.raises(CommandFailed, match="go away"):
        show(CommandFailed("go away", "Forbidden"), time=time)
    assert time.naps == []


def test_a_long_run_is_asked_about_less_often() -> None:
    time = Time()
    show(*[in_state("CheckTraining")] * 400, run_record(), time=time)
    assert (time.naps[0], time.naps[-1]) == (0.4, 5.0)
    assert time.naps == sorted(time.naps)


def test_on_a_terminal_the_state_that_the_run_is_in_moves_below_those_it_has_left() -> None:
    _, shown = show(in_state("PrepareData"), in_state("CheckTraining"), run_record(), terminal=True)
    assert shown.count("✓") == 2
    assert "CheckTraining" in shown
