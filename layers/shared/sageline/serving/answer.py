"""Predictions in the form that the caller asks for by ``Accept``: JSON, CSV or JSON Lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sageline.aws.http import HttpResponse, json_response, shortened, text_response
from sageline.aws.media_types import parameter, preferred
from sageline.errors import NotAcceptable
from sageline.serving.document import Predictions

JSON, CSV = "application/json", "text/csv"
JSON_LINES = ("application/jsonlines", "application/x-ndjson", "application/jsonl")
"""The names that JSON Lines go by; none is registered."""

_TYPES = [JSON, CSV, *JSON_LINES]
_LONGEST_WARNINGS = 4_000  # characters; API Gateway takes 10,240 of all headers
_LONGEST_WARNING = 1_000


@dataclass(frozen=True)
class AnswerForm:
    """The type of an answer, and whether CSV begins with the names of its columns."""

    media_type: str = JSON
    header: bool = True


@dataclass(frozen=True)
class PredictionResponse:
    """Answers in the order of the instances, and who gave them."""

    predictions: list[Any]  # each is a sageline.serving.document.RowPrediction, as an encoder decodes it
    endpoint: str
    variant: str
    model_version: str
    warnings: list[str]
    """What of the instances was ignored or taken for missing."""

    def to_json(self) -> Predictions:
        """As the HTTP API shows it; ``warnings`` are there only if there are any."""
        answer: Predictions = {
            "predictions": self.predictions,
            "endpoint": self.endpoint,
            "variant": self.variant,
            "model_version": self.model_version,
        }
        if self.warnings:
            answer["warnings"] = self.warnings
        return answer


def answer_form(accept: str) -> AnswerForm:
    """The form that a client wants most; JSON if it does not care.

    Raises:
        NotAcceptable: it wants none that there is.
    """
    found = preferred(accept, _TYPES)
    if found is None:
        raise NotAcceptable(
            f"An answer cannot be {shortened(accept)!r}; ask for {', '.join(_TYPES[:-1])} or {_TYPES[-1]} in `Accept`.",
            accepted=_TYPES,
        )
    name, item = found
    return AnswerForm(name, header=parameter(item, "header") != "absent")


def render(answer: PredictionResponse, form: AnswerForm, top_k: int = 1) -> HttpResponse:
    """The answer as an HTTP response. What JSON says beside the predictions, the other forms say in headers.

    Args:
        top_k: how many labels were asked for.

    Raises:
        RequestTooLarge: it would be longer than an answer may be.
    """
    if form.media_type == JSON:
        return json_response(200, answer.to_json())
    if form.media_type == CSV:
        text = _as_csv(answer.predictions, top_k, header=form.header)
        content_type = f"text/csv; charset=utf-8; header={'present' if form.header else 'absent'}"
    else:
        text = "".join(json.dumps(item, ensure_ascii=False, allow_nan=False) + "\n" for item in answer.predictions)
        content_type = form.media_type
    headers = {"sageline-variant": answer.variant, "sageline-model-version": answer.model_version}
    if answer.warnings:
        headers["sageline-warnings"] = _in_a_header(answer.warnings)
    return text_response(200, text, content_type, headers)


def _as_csv(predictions: Sequence[Mapping[str, Any]], top_k: int, *, header: bool) -> str:
    """A line for each prediction: ``value``; or ``label,probability``, then ``top_2_label,top_2_probability`` up to ``top_k``,
    then ``probability_<label>`` of each class. What is not told is empty."""
    classes = list(predictions[0].get("probabilities", ()))
    names = ["value"]
    if "label" in predictions[0]:
        others = [f"top_{place}_{part}" for place in range(2, top_k + 1) for part in ("label", "probability")]
        names = ["label", "probability", *others, *(f"probability_{label}" for label in classes)]
    buffer = io.StringIO()
    table = csv.writer(buffer, lineterminator="\n")
    if header:
        table.writerow(names)
    table.writerows(_cells(prediction, top_k) for prediction in predictions)
    return buffer.getvalue()


def _cells(prediction: Mapping[str, Any], top_k: int) -> list[object]:
    if "value" in prediction:
        return [prediction["value"]]
    named = [cell for item in prediction["top"] for cell in (item["label"], item["probability"])]
    return [*named, *[None] * (2 * top_k - len(named)), *prediction.get("probabilities", {}).values()]


def _in_a_header(warnings: Sequence[str]) -> str:
    """The warnings as an array of JSON in ASCII, those that there is room for."""
    shown: list[str] = []
    for number, warning in enumerate(warnings):
        longer = [*shown, shortened(warning, _LONGEST_WARNING)]
        if len(json.dumps(longer)) > _LONGEST_WARNINGS:
            return json.dumps([*shown, f"and {len(warnings) - number} more, which an answer in JSON has."])
        shown = longer
    return json.dumps(shown)
