"""Linear scales with round ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sageline.report.drawing.figures import MINUS

_STEPS = (1, 2, 2.5, 5, 10)
_WHOLE_STEPS = (1, 2, 5, 10)
_SUFFIXES = ((1e10, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k"))


@dataclass(frozen=True)
class Scale:
    """Puts values between ``start`` and ``end`` (pixels; the end may be before the start, as a vertical axis wants it).

    ``whole``: values are whole numbers, and so are the ticks.
    """

    low: float
    high: float
    start: float
    end: float
    whole: bool = False

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, most: int) -> list[float]:
        """Round values within the scale, evenly spaced, at most ``most`` of them; at least one."""
        step = _step((self.high - self.low) / max(most - 1, 1), self.whole)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [float(f"{at * step:.12g}") for at in range(first, last + 1)] or [self.low]


def round_bounds(values: Iterable[float], most: int = 5, *, zero: bool = False) -> tuple[float, float]:
    """Round numbers that all finite values lie between; ``zero``: the bounds hold zero too."""
    finite = [value for value in values if math.isfinite(value)] + ([0.0] if zero else [])
    low, high = min(finite, default=0.0), max(finite, default=1.0)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        room = abs(high) / 2 or 0.5
        low, high = (low, high + room) if zero else (low - room, high + room)
    step = _step((high - low) / max(most - 1, 1), whole=False)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step


def tick_labels(ticks: Sequence[float]) -> list[str]:
    """As many decimals for all as the finest needs: ``0.0``, ``0.5``; thousands as ``20k``, millions as ``3M``."""
    largest = max(map(abs, ticks), default=0.0)
    if largest and (largest < 1e-3 or largest >= 1e13):
        return [f"{tick:.3g}".replace("-", MINUS) for tick in ticks]
    unit, suffix = next(((unit, suffix) for least, unit, suffix in _SUFFIXES if largest >= least), (1.0, ""))
    decimals = max((_decimals(tick / unit) for tick in ticks), default=0)
    return [f"{tick / unit:.{decimals}f}".replace("-", MINUS) + (suffix if tick else "") for tick in ticks]


def _decimals(value: float) -> int:
    return len(f"{value:.6f}".rstrip("0").partition(".")[2])


def _step(least: float, whole: bool) -> float:
    """The smallest round number that is no less."""
    least = max(least, 1.0) if whole else least
    power = 10.0 ** math.floor(math.log10(least))
    steps = _WHOLE_STEPS if whole else _STEPS
    return next((step * power for step in steps if step * power >= least * (1 - 1e-9)), 10 * power)
