"""Why a candidate was chosen and why it has its settings, in words."""

from __future__ import annotations

from sageline.algorithms.presets import settings
from sageline.evaluation.candidates.ended import Ended, goodness, tie_break_of
from sageline.evaluation.candidates.few_rows import is_few
from sageline.evaluation.wording import plain
from sageline.runs.payloads import AskedOfAuto
from sageline.spec.model import Spec


def why_chosen(asked: AskedOfAuto, best: Ended, metric: str, ended: list[Ended]) -> str:
    """The reason of ``algorithm.name`` of the run's spec, which then names the chosen one: what ``auto`` was asked for, which the
    spec cannot say any more, and how the others have done."""
    validation = best.validation or {}
    value, rows = validation["metrics"].get(metric), validation.get("rows")
    minutes = f", `budget_minutes` {plain(asked['budget_minutes'])}" if asked["budget_minutes"] is not None else ""
    few = f" ({rows}, which is too few to tell models apart)" if is_few(rows) else ""
    told = f"{metric} {plain(value) if value is not None else 'unknown'}{_beside(best, metric, ended)}"
    return f"auto (preset {asked['preset']}{minutes}) has chosen it by the validation rows{few}: {told}"


def _beside(best: Ended, metric: str, ended: list[Ended]) -> str:
    """How the others have done."""
    others = [candidate for candidate in ended if candidate is not best]
    answered = [candidate for candidate in others if candidate.validation is not None]
    worse = [other.algorithm for other in answered if goodness(metric, other) < goodness(metric, best)]
    tied = [other for other in answered if other.algorithm not in worse]
    tie_break = tie_break_of(metric, answered)
    less_sure = [other.algorithm for other in tied if goodness(tie_break, other) < goodness(tie_break, best)]
    equal = [other.algorithm for other in tied if other.algorithm not in less_sure]
    failed = [other.algorithm for other in others if other.validation is None]
    told = f", better than {' and '.join(worse)}" if worse else ""
    told += f", as good as {' and '.join(less_sure)} but with less log loss" if less_sure else ""
    told += f", as good as {' and '.join(equal)}, which {'comes' if len(equal) == 1 else 'come'} after it" if equal else ""
    return told + (f"; {' and '.join(failed)} {'has' if len(failed) == 1 else 'have'} failed" if failed else "")


def reasons_of_settings(asked: AskedOfAuto, trained: Spec, ended: list[Ended]) -> dict[str, str]:
    """Why the candidate has the settings that ``auto`` has given it; not of those that the spec says itself."""
    names = tuple(candidate.algorithm for candidate in ended)
    kinds = set((trained.dataset.features or {}).values())
    given = settings(trained.algorithm.name, names, asked["preset"], kinds)
    encoder = trained.encoder.model_dump() if trained.encoder is not None else {}
    untrue = {
        f"encoder.{kind}.{name}"
        for kind, options in given.encoder.items()
        for name, value in options.items()
        if encoder.get(kind, {}).get(name) != value
    }
    return {key: reason for key, reason in given.reasons.items() if key not in untrue}
