"""The first lines about a run of ``auto``: which algorithms it tries, which it does not, and why."""

from __future__ import annotations

from rich.text import Text

from sageline.json_objects import Json
from sageline.spec.training import AUTO
from sagemaker_emulator.engines.script.frameworks import TENSORFLOW

_OF_ALGORITHM = "algorithm."
_LEFT_OUT = "left out: "
_BUDGETS = ("budget_minutes", "budget_usd")
_MORE = {
    "quick": "--preset good or best tries more",
    "good": "--preset best tries more, quick less",
    "best": "--preset good or quick tries less",
}


def asked(details: Json) -> str:
    """``auto, preset good, budget_minutes 30``: what a run of ``auto`` was asked for; empty for others."""
    auto: Json = details.get("auto") or {}
    minutes = auto.get("budget_minutes")
    return ", ".join([AUTO, f"preset {auto['preset']}", *([f"budget_minutes {minutes:g}"] if minutes else [])]) if auto else ""


def algorithm_lines(run: Json, spec: Json | None) -> list[Text]:
    """A paragraph for what is trained, each algorithm that is left out, and what a budget has cut off; none for a run of an
    algorithm that its spec names.

    Args:
        spec: the resolved one; None where it cannot be read.
    """
    details: Json = run.get("details") or {}
    candidates = details.get("candidates") or []
    if not candidates:
        return []
    reasons: Json = (spec or {}).get("reasons") or {}
    algorithm: Json = (spec or {}).get("algorithm") or {}
    names = " and ".join(candidate["algorithm"] for candidate in candidates)
    trains, preset = f"auto trains {names}", (details.get("auto") or algorithm).get("preset")
    if algorithm.get("name") == AUTO:  # else one has been chosen meanwhile
        trains = reasons.get("algorithm.name", trains)
    more = f" (preset {preset}; {_MORE[preset]})" if preset in _MORE else ""
    return [Text(f"{sentence(trains)}{more}."), *map(Text, without(reasons))]


def not_here(run: Json) -> str | None:
    """That an algorithm of a run of the local stack can have no model, as its framework is not installed; None otherwise."""
    planned = [candidate["algorithm"] for candidate in (run.get("details") or {}).get("candidates") or []]
    if TENSORFLOW.package not in planned or TENSORFLOW.is_installed:
        return None
    return (
        f"{TENSORFLOW.title} is not installed on this machine, so {TENSORFLOW.package} will have no model, and the run goes on "
        "without it: `make setup-tensorflow` installs it. In AWS its container has it."
    )


def without(reasons: Json) -> list[str]:
    """A sentence for each algorithm that ``auto`` does not train, and one for what each budget has cut off."""
    left_out = {
        key.removeprefix(_OF_ALGORITHM): reason.removeprefix(_LEFT_OUT)
        for key, reason in reasons.items()
        if key.startswith(_OF_ALGORITHM) and reason.startswith(_LEFT_OUT)
    }
    cut = [f"To keep to `{budget}`, {reasons[budget]}." for budget in _BUDGETS if budget in reasons]
    return [f"Without {algorithm}: {why.rstrip('.')}." for algorithm, why in left_out.items()] + cut


def sentence(text: str) -> str:
    """The text with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]
