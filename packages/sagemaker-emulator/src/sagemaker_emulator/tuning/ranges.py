"""The hyperparameters that a tuning job searches, and the values that each may take."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sagemaker_emulator.errors import invalid
from sagemaker_emulator.store import Request

Scale = Literal["Linear", "Logarithmic", "ReverseLogarithmic"]

MOST_HYPERPARAMETERS = 30
# Where the scale is SageMaker's choice (Auto), a positive range this wide is searched by orders of magnitude.
_WIDE = 100.0


@dataclass(frozen=True)
class IntegerRange:
    """The integers from ``low`` to ``high``, both included."""

    name: str
    low: int
    high: int
    scale: Scale

    @property
    def combinations(self) -> float:
        return self.high - self.low + 1

    def contains(self, value: str) -> bool:
        return value.lstrip("-").isdigit() and self.low <= int(value) <= self.high


@dataclass(frozen=True)
class ContinuousRange:
    """The numbers from ``low`` to ``high``."""

    name: str
    low: float
    high: float
    scale: Scale

    @property
    def combinations(self) -> float:
        return math.inf

    def contains(self, value: str) -> bool:
        try:
            return self.low <= float(value) <= self.high
        except ValueError:
            return False


@dataclass(frozen=True)
class CategoricalRange:
    """One of several texts."""

    name: str
    values: tuple[str, ...]

    @property
    def combinations(self) -> float:
        return len(self.values)

    def contains(self, value: str) -> bool:
        return value in self.values


Range = IntegerRange | ContinuousRange | CategoricalRange


def parse_ranges(request: Request) -> list[Range]:
    """The ranges of a request's ``ParameterRanges``; raises ValidationException for one that says nothing sensible."""
    if request.get("AutoParameters"):
        raise invalid("AutoParameters are not supported by the local SageMaker service: give each hyperparameter a range.")
    ranges: list[Range] = [_integer(item) for item in request.get("IntegerParameterRanges") or []]
    ranges += [_continuous(item) for item in request.get("ContinuousParameterRanges") or []]
    ranges += [_categorical(item) for item in request.get("CategoricalParameterRanges") or []]
    if not ranges:
        raise invalid("At least one hyperparameter range must be provided in ParameterRanges.")
    names = [item.name for item in ranges]
    if len(names) > MOST_HYPERPARAMETERS:
        raise invalid(f"A tuning job can search at most {MOST_HYPERPARAMETERS} hyperparameters, not {len(names)}.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise invalid(f"Hyperparameter names in ParameterRanges must be unique: {', '.join(twice)} is given more than once.")
    return ranges


def combinations(ranges: Iterable[Range]) -> float:
    """In how many ways one value can be taken of each range; infinite when one of them is continuous."""
    return math.prod(item.combinations for item in ranges)


def _integer(item: Request) -> IntegerRange:
    name = item["Name"]
    try:
        low, high = int(item["MinValue"]), int(item["MaxValue"])
    except ValueError as error:
        raise invalid(f"The range [{item['MinValue']}, {item['MaxValue']}] of hyperparameter {name} must be integers.") from error
    return IntegerRange(name, low, high, _checked_scale(item, low, high))


def _continuous(item: Request) -> ContinuousRange:
    name = item["Name"]
    try:
        low, high = float(item["MinValue"]), float(item["MaxValue"])
    except ValueError as error:
        raise invalid(f"The range [{item['MinValue']}, {item['MaxValue']}] of hyperparameter {name} must be numbers.") from error
    if not (math.isfinite(low) and math.isfinite(high)):
        raise invalid(f"The range [{item['MinValue']}, {item['MaxValue']}] of hyperparameter {name} must be finite numbers.")
    return ContinuousRange(name, low, high, _checked_scale(item, low, high))


def _categorical(item: Request) -> CategoricalRange:
    values = tuple(item["Values"])
    if len(set(values)) < len(values):
        raise invalid(f"The values of the categorical hyperparameter {item['Name']} must be unique: [{', '.join(values)}].")
    return CategoricalRange(item["Name"], values)


def _checked_scale(item: Request, low: float, high: float) -> Scale:
    name, shown = item["Name"], f"[{item['MinValue']}, {item['MaxValue']}]"
    if low >= high:
        raise invalid(f"The range {shown} of hyperparameter {name} is not valid: MinValue must be smaller than MaxValue.")
    scaling = str(item.get("ScalingType") or "Auto")
    if scaling == "Logarithmic" and low <= 0:
        raise invalid(
            f"The range {shown} of hyperparameter {name} is not valid: "
            "logarithmic scaling works only for ranges that have only values greater than 0."
        )
    if scaling == "ReverseLogarithmic" and not 0 <= low < high < 1:
        raise invalid(
            f"The range {shown} of hyperparameter {name} is not valid: "
            "reverse logarithmic scaling works only for ranges that are entirely within 0 <= x < 1.0."
        )
    if scaling == "Auto":
        return "Logarithmic" if low > 0 and high >= _WIDE * low else "Linear"
    return "Linear" if scaling == "Linear" else "Logarithmic" if scaling == "Logarithmic" else "ReverseLogarithmic"
