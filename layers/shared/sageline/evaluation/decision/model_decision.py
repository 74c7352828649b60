"""The decision of a run's model: chosen, written beside its encoder, and told of in ``evaluation.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sageline.arrays.strings import IntArray
from sageline.encoder.decision import DECISION, Decision
from sageline.encoder.fitted import FittedEncoder
from sageline.evaluation.decision.choose import ChosenDecision, choose_decision
from sageline.evaluation.decision.validation_sample import ValidationSample
from sageline.json_objects import Json
from sageline.runs.documents import RunFiles
from sageline.spec.decision import DecisionSpec, can_decide
from sageline.spec.metrics import default_metric
from sageline.spec.model import Spec


@dataclass(frozen=True)
class ToldDecision:
    """What is told of a model's decision.

    Attributes:
        document: ``decision`` of ``evaluation.json``, but for what the test rows say of it; None where nothing could be chosen.
        warnings: sentences on what was asked for, or is needed to judge by, and was not chosen.
    """

    document: Json | None = None
    warnings: list[str] = field(default_factory=list)

    @classmethod
    def of_document(cls, document: Mapping[str, Any] | None, spec: Spec) -> ToldDecision:  # Any: a JSON document
        """What :attr:`document` says, read again."""
        if document is None:
            return cls()
        return cls(dict(document), list(document["skipped"]) if _matters(spec) else [])


def may_decide(spec: Spec, encoder: FittedEncoder) -> bool:
    """Whether the model may have a decision, if it has answered for validation rows."""
    return encoder.classes is not None and can_decide(spec.decision, encoder.task, encoder.answers)


def choose_for_run(
    sample: ValidationSample, run_id: str, spec: Spec, encoder: FittedEncoder, *, files: RunFiles
) -> tuple[FittedEncoder, ToldDecision]:
    """The encoder with the decision of its model, which is written beside it if there is any."""
    rows, classes = sample.chosen(), encoder.classes or []
    asked = spec.decision or DecisionSpec()
    metric = spec.evaluation.metric or default_metric(encoder.task)
    positive = spec.evaluation.positive or _rarer(classes, rows.expected)
    chosen = choose_decision(rows, classes, metric, positive, threshold=asked.threshold, calibration=asked.calibration)
    layout = files.layout(run_id)
    if chosen.decision is not None:
        files.put(layout.encoder_prefix + DECISION, chosen.decision.save(), "application/json")
    document = document_of(chosen, positive, len(rows.expected))
    return replace(encoder, decision=chosen.decision), ToldDecision.of_document(document, spec)


def in_short(decision: Decision | None) -> Json | None:
    """What a run's record says of a decision."""
    if decision is None:
        return None
    document = decision.to_json()
    calibration = document["calibration"]
    return {
        "metric": decision.metric,
        "threshold": document["threshold"],
        "offsets": decision.offsets is not None,
        "calibration": None if calibration is None else calibration["kind"],
    }


def document_of(chosen: ChosenDecision, positive: str | None, rows: int) -> Json:
    """``decision`` of ``evaluation.json``, but for ``before``.

    Args:
        rows: validation rows that it was chosen on.
    """
    decision = Decision([], positive=positive) if chosen.decision is None else chosen.decision
    told = decision.to_json()
    names = ("metric", "positive", "calibration", "threshold", "offsets")
    return {
        **{name: told[name] for name in names},
        "rows": rows,
        "measured": chosen.measured,
        "skipped": list(chosen.skipped),
        "curve": list(chosen.curve),
    }


def _matters(spec: Spec) -> bool:
    """Whether somebody waits for a decision: it was asked for, or the model is judged by more than how often it is right."""
    return spec.decision is not None or spec.evaluation.metric not in (None, "accuracy")


def _rarer(classes: list[str], expected: IntArray) -> str | None:
    """Of two classes the rarer one; None of more. For a spec that was completed before it named the class that is looked for."""
    if len(classes) != 2:
        return None
    counts = np.bincount(expected, minlength=2)
    return classes[int(counts[1] <= counts[0])]
