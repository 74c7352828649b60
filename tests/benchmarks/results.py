"""What a benchmark measured, and whether it is what was aimed at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

TIMES = "\N{MULTIPLICATION SIGN}"

SAGELINE = "sageline"
"""Name of Sageline among what is measured; other ways to call it are named ``sageline, …``."""


@dataclass(frozen=True)
class Goal:
    """Sageline is at least ``speed`` times as fast as the contestant ``than``; without it, its number is at most ``most``."""

    than: str = ""
    speed: float = 0.0
    most: float = 0.0

    def __str__(self) -> str:
        if not self.than:
            return f"≤ {self.most:g}"
        return f"≥ {self.speed:g}{TIMES} {self.than}"


@dataclass(frozen=True)
class Result:
    """One job, measured.

    Attributes:
        job: its key in ``bench.json``.
        title: what was done, for people.
        unit: of all numbers; the larger the better when it is something per second.
        samples: contestant to what was measured in each round.
        limits: contestants that do less than the job, and show what is possible at all.
        goals: what was aimed at.
        bound: what keeps Sageline from being faster; shown when a goal is missed.
        note: what a reader must know of the input or the peers.
    """

    job: str
    title: str
    unit: str
    samples: dict[str, list[float]]
    limits: tuple[str, ...] = ()
    goals: Sequence[Goal] = ()
    bound: str = ""
    note: str = ""

    @property
    def value(self) -> float:
        """Sageline's median."""
        return self.median(SAGELINE)

    def median(self, contestant: str) -> float:
        return median(self.samples[contestant])

    @property
    def variants(self) -> list[str]:
        """Other ways to call Sageline."""
        return [name for name in self.samples if name.startswith(f"{SAGELINE}, ")]

    @property
    def peers(self) -> list[str]:
        return [name for name in self.samples if not name.startswith(SAGELINE) and name not in self.limits]

    @property
    def ratio_to_best_peer(self) -> float | None:
        """How many times as fast as the fastest peer Sageline is; None without a peer."""
        return min((self.speed_against(peer) for peer in self.peers), default=None)

    def speed_against(self, contestant: str) -> float:
        """How many times as fast as a contestant Sageline is: the ratio of the medians."""
        ratio = self.value / self.median(contestant)
        return ratio if self.unit.endswith("/s") else 1 / ratio

    def misses(self) -> list[Goal]:
        """The goals that are missed; one against a contestant that was not there is not."""
        return [goal for goal in self.goals if self.is_measured(goal) and not self._is_met(goal)]

    def is_measured(self, goal: Goal) -> bool:
        return not goal.than or goal.than in self.samples

    def _is_met(self, goal: Goal) -> bool:
        return self.speed_against(goal.than) >= goal.speed if goal.than else self.value <= goal.most
