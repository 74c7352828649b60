"""The gate: may a model be deployed? Decisions with their reasons in words; nothing is read or written here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sageline.evaluation.baseline import LEAST_ROWS, BaselineComparison
from sageline.evaluation.comparison import Comparison
from sageline.evaluation.wording import plain

_DEPLOY_ANYWAY = '{"evaluation": {"better_than_baseline": false}} in the spec deploys the model all the same'


@dataclass(frozen=True)
class GateCheck:
    """One thing that was asked of a model.

    Attributes:
        rule: what the spec says.
        wanted: the limit; None for ``better_than_baseline`` and ``beat_champion``.
        found: the metric's value; None where it is not known.
        reason: in words, whichever way it went.
    """

    rule: Literal["at_least", "at_most", "better_than_baseline", "beat_champion"]
    metric: str
    wanted: float | None
    found: float | None
    passed: bool
    reason: str


@dataclass(frozen=True)
class GateDecision:
    """Whether a model may be deployed: when it has passed every check, also when there was none.

    Attributes:
        not_checked: in words, what was not checked and why; None where all was.
    """

    checks: tuple[GateCheck, ...]
    not_checked: str | None = None

    @property
    def accepted(self) -> bool:
        return all(check.passed for check in self.checks)

    @property
    def reason(self) -> str:
        """What decided, as a sentence: every check that failed; or all that were passed, and what was not checked."""
        reasons = [check.reason for check in self.checks if check.passed == self.accepted]
        if self.accepted:
            reasons = (reasons or ["the spec sets no limit"]) + ([self.not_checked] if self.not_checked else [])
        words = "; ".join(reasons)
        return f"{words[0].upper()}{words[1:]}."

    def to_json(self) -> dict[str, Any]:  # Any: a JSON document
        """``gate`` of ``evaluation.json``."""
        return {
            "decision": "accepted" if self.accepted else "rejected",
            "reason": self.reason,
            "checks": [asdict(check) for check in self.checks],
        }


def check_limits(
    metrics: Mapping[str, float | None], at_least: Mapping[str, float] | None, at_most: Mapping[str, float] | None
) -> list[GateCheck]:
    """The limits of the spec; a metric that is not known passes none."""
    checks = [_check("at_least", name, limit, metrics[name]) for name, limit in (at_least or {}).items()]
    return checks + [_check("at_most", name, limit, metrics[name]) for name, limit in (at_most or {}).items()]


def check_baseline(comparison: BaselineComparison) -> GateCheck:
    """Whether the model is better than one that always gives the same answer."""
    found, better = comparison.found, comparison.better
    reason = comparison.words if better else f"{comparison.words} {_DEPLOY_ANYWAY}"
    return GateCheck("better_than_baseline", comparison.metric, None, found, better, reason)


def baseline_not_checked(answer: str, rows: int) -> str:
    """Why the model was not checked for being better than one that always gives this answer.

    Args:
        rows: test rows; from :data:`LEAST_ROWS` on it is the spec that does not ask for it.
    """
    if rows >= LEAST_ROWS:
        return f"the model need not be better than always answering {answer}: `evaluation.better_than_baseline` is false"
    few = f"it takes {LEAST_ROWS} test rows to tell, and there are {rows}"
    return f"whether the model is better than always answering {answer} was not checked: {few}"


def check_comparison(comparison: Comparison) -> GateCheck:
    """Whether the new model beats the one in service."""
    return GateCheck("beat_champion", comparison.metric, None, comparison.challenger, comparison.better, comparison.words)


def without_champion(metric: str, found: float | None) -> GateCheck:
    """There is nothing to beat: the first model of an endpoint."""
    return GateCheck("beat_champion", metric, None, found, True, "no model is in service that the new one must beat")


def champion_unknown(metric: str, found: float | None, why: str) -> GateCheck:
    """The new model cannot be shown to be better; ``why`` says what is in the way."""
    return GateCheck("beat_champion", metric, None, found, False, f"it is not known whether the new model is better: {why}")


def _check(rule: Literal["at_least", "at_most"], metric: str, wanted: float, found: float | None) -> GateCheck:
    asked = f"{rule.replace('_', ' ')} {plain(wanted, 6)}"
    if found is None:
        reason = f"{metric} is not known of this model, and {asked} is asked for"
        return GateCheck(rule, metric, wanted, None, False, reason)
    passed = found >= wanted if rule == "at_least" else found <= wanted
    return GateCheck(rule, metric, wanted, found, passed, f"{metric} is {_shown(found, wanted)}, {asked} is asked for")


def _shown(found: float, wanted: float) -> str:
    """The value with as many digits as it takes to differ from the wanted one."""
    texts = ((plain(found, digits), plain(wanted, digits)) for digits in range(4, 17))
    return next((text for text, limit in texts if text != limit), plain(found, 6))
