"""How long the states of a run took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise, repeat
from typing import Literal, TypeAlias

from sageline.runs.store import StateEntered

StateOutcome: TypeAlias = Literal["done", "failed", "running"]


@dataclass(frozen=True)
class StateTime:
    """A state that a run went through, the seconds since it was entered until it was left, and how it was left."""

    state: str
    seconds: float
    outcome: StateOutcome = "done"


def state_times(states: Sequence[StateEntered], until: datetime, last: StateOutcome) -> list[StateTime]:
    """The seconds from each state that a run's record notes to the next one, including those of states in between that it does
    not note.

    Args:
        until: the end of the last one, or now.
        last: what became of the last one.
    """
    if not states:
        return []
    entered = [datetime.fromisoformat(state["entered_at"]) for state in states]
    # The clocks of two functions need not agree to the millisecond.
    took = [max((after - since).total_seconds(), 0.0) for since, after in pairwise([*entered, until])]
    done: StateOutcome = "done"
    outcomes = [*repeat(done, len(states) - 1), last]
    return [StateTime(state["state"], seconds, outcome) for state, seconds, outcome in zip(states, took, outcomes, strict=True)]
