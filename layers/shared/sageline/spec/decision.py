"""The part of the spec that says how probabilities become labels."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import Field, field_validator

from sageline.errors import InvalidSpec
from sageline.spec.evaluation import ONLY_LABELS
from sageline.spec.section import BaseSpec


class DecisionSpec(BaseSpec):
    """How a classifier's probabilities become its answer, chosen on the validation rows. docs/evaluation.md says how."""

    threshold: Annotated[float, Field(gt=0, lt=1)] | Literal["auto", "none"] = Field(
        "auto",
        description="The probability of `evaluation.positive` from which on that label is answered. `auto` chooses it for "
        "`evaluation.metric`, of more than two classes an offset for each, where that helps; `none` answers the most probable "
        "label.",
    )
    calibration: Literal["auto", "none", "temperature", "isotonic"] = Field(
        "auto",
        description="Makes probabilities as high as the label is often right, where that helps. `auto` takes the better one of "
        "`temperature` and, of two classes and from 1,000 validation rows on, `isotonic`.",
    )

    @field_validator("threshold", mode="before")
    @classmethod
    def _probability_or_word(cls, given: object) -> object:
        is_probability = isinstance(given, int | float) and not isinstance(given, bool) and 0 < given < 1
        if not is_probability and given not in ("auto", "none"):
            raise ValueError(f'{json.dumps(given, default=str)}; expected "auto", "none" or a probability above 0 and below 1')
        return given

    @property
    def asks_for_anything(self) -> bool:
        return self.threshold != "none" or self.calibration != "none"


def check_decision(decision: DecisionSpec | None, task: str, answers: str, num_class: int | None = None) -> None:
    """Refuse a decision where there is nothing to decide.

    Args:
        answers: whose answers are read (:func:`sageline.formats.exchange.answering`).
        num_class: None while it is not known.

    Raises:
        InvalidSpec: names the key, and what to do.
    """
    if decision is None:
        return
    if task != "classification":
        raise InvalidSpec(f"`decision` turns probabilities into labels, and the task is {task}; take it out.")
    if answers in ONLY_LABELS and decision.asks_for_anything:
        raise InvalidSpec(
            f"`decision` needs probabilities, and {answers} answers labels only in a transform job; take it out, or train "
            "another algorithm, such as xgboost."
        )
    if num_class is not None and num_class != 2:
        if isinstance(decision.threshold, float):
            raise InvalidSpec(
                f"`decision.threshold` is {decision.threshold:g}, which is for two classes, and there are {num_class}; say "
                '"auto" for an offset of each class, or "none".'
            )
        if decision.calibration == "isotonic":
            raise InvalidSpec(
                f'`decision.calibration` is "isotonic", which is for two classes, and there are {num_class}; say "temperature".'
            )


def can_decide(decision: DecisionSpec | None, task: str, answers: str) -> bool:
    """Whether the model is to be asked about validation rows."""
    wanted = decision is None or decision.asks_for_anything
    return wanted and task == "classification" and answers not in ONLY_LABELS
