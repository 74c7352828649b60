"""How a classifier's probabilities become its answer: they are calibrated, then a threshold or offsets say which class it is.

``decision.json`` lies beside the encoder of a model version, and is there only if something was chosen on the validation rows.
Predictions, transform jobs and evaluations all go through :meth:`Decision.decide`, on the same ``float32`` table, so that they
come to the same numbers bit by bit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from sageline.arrays.matrix import DoubleArray, FloatArray
from sageline.arrays.strings import IntArray
from sageline.errors import InvalidEncoder

DECISION = "decision.json"
VERSION = 1


@dataclass(frozen=True)
class Temperature:
    """Probabilities to the power of ``1 / temperature``, and then shares of one again: above 1 the model becomes less sure.

    Source: Guo, Pleiss, Sun and Weinberger, On Calibration of Modern Neural Networks (2017).
    """

    temperature: float

    def calibrated(self, probabilities: FloatArray, positive: int) -> FloatArray:
        """``float32[rows, classes]`` of such a table."""
        # 1 less a probability that rounding has brought above 1 is as far below 0.
        powers = np.abs(probabilities.astype(np.float64))
        powers **= 1 / self.temperature
        powers /= np.add.reduce(powers, axis=1, keepdims=True)
        return powers.astype(np.float32)

    def to_json(self) -> dict[str, Any]:  # Any: a JSON document
        return {"kind": "temperature", "temperature": self.temperature}


@dataclass(frozen=True)
class Isotonic:
    """Of two classes: the probability of the positive one along a line that only rises, straight between its knots.

    Attributes:
        scores: the model's probabilities at the knots, from 0 to 1, rising.
        probabilities: the calibrated ones there, rising.
    """

    scores: tuple[float, ...]
    probabilities: tuple[float, ...]

    @cached_property
    def _knots(self) -> tuple[DoubleArray, DoubleArray]:
        return np.array(self.scores, dtype=np.float64), np.array(self.probabilities, dtype=np.float64)

    def calibrated(self, probabilities: FloatArray, positive: int) -> FloatArray:
        """``float32[rows, 2]`` of such a table."""
        knots, values = self._knots
        table = np.empty(probabilities.shape, dtype=np.float32)
        own = table[:, positive]
        own[:] = np.interp(probabilities[:, positive], knots, values)
        np.subtract(1, own, out=table[:, 1 - positive])
        return table

    def to_json(self) -> dict[str, Any]:  # Any: a JSON document
        return {"kind": "isotonic", "scores": list(self.scores), "probabilities": list(self.probabilities)}


@dataclass(frozen=True, eq=False)
class Decision:
    """What was chosen for one model version.

    Attributes:
        classes: the labels in class order.
        metric: what the threshold or the offsets were chosen for; None where there are none of them.
        positive: of two classes, the one that ``threshold`` and an isotonic calibration are about; None of more classes.
        threshold: from which calibrated probability on the label is ``positive``, compared as ``float32``.
        offsets: of more classes: what is added to the logarithm of each calibrated probability before the highest one is taken.
        rows: validation rows that it was chosen on.
        measured: what it has brought on them, as a JSON document.
    """

    classes: Sequence[str]
    metric: str | None = None
    positive: str | None = None
    calibration: Temperature | Isotonic | None = None
    threshold: float | None = None
    offsets: tuple[float, ...] | None = None
    rows: int = 0
    measured: Mapping[str, Any] = field(default_factory=dict)  # Any: a JSON document

    def decide(self, probabilities: FloatArray, own: IntArray | None) -> tuple[FloatArray, IntArray]:
        """The calibrated probabilities, ``float32[rows, classes]``, and the class of each row, ``int64[rows]``.

        Args:
            probabilities: ``float32[rows, classes]``: what the model has answered.
            own: the classes that the model has chosen itself, which stay where neither threshold nor offsets are; None for one
                that only answers probabilities.
        """
        table = probabilities
        if self.calibration is not None:
            table = self.calibration.calibrated(probabilities, self._positive)
        if self._at is not None:
            scores = table[:, self._positive]
            return table, (scores >= self._at if self._positive else scores < self._at).astype(np.int64)
        if self._factors is not None:
            return table, (table * self._factors).argmax(axis=1)
        return table, table.argmax(axis=1) if own is None else own

    @property
    def is_nothing(self) -> bool:
        """Whether every row keeps the answer that it had."""
        return self.calibration is None and self.threshold is None and self.offsets is None

    @cached_property
    def _positive(self) -> int:
        return 0 if self.positive is None else list(self.classes).index(self.positive)

    @cached_property
    def _at(self) -> np.float32 | None:
        return None if self.threshold is None else np.float32(self.threshold)

    @cached_property
    def _factors(self) -> DoubleArray | None:
        # The highest sum of logarithms is the highest product, and a probability of 0 needs no care.
        return None if self.offsets is None else np.exp(np.array(self.offsets, dtype=np.float64))

    def to_json(self) -> dict[str, Any]:  # Any: a JSON document
        """The document without its version and checksum."""
        offsets = None if self.offsets is None else dict(zip(self.classes, self.offsets, strict=True))
        return {
            "classes": list(self.classes),
            "metric": self.metric,
            "positive": self.positive,
            "calibration": None if self.calibration is None else self.calibration.to_json(),
            "threshold": None if self.threshold is None else {"label": self.positive, "at": self.threshold},
            "offsets": offsets,
            "rows": self.rows,
            "measured": dict(self.measured),
        }

    def save(self) -> bytes:
        """``decision.json``."""
        content = {"version": VERSION, **self.to_json()}
        return json.dumps(content | {"sha256": _checksum(content)}, ensure_ascii=False, indent=1).encode()

    @classmethod
    def load(cls, document: bytes, classes: Sequence[str] | None) -> Decision:
        """What :meth:`save` returned.

        Args:
            classes: those of the encoder that it lies beside.

        Raises:
            InvalidEncoder: it is damaged, written by a newer version, or of other classes.
        """
        content = _content(document)
        try:
            decision = _of_json(content)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidEncoder(f"{DECISION} lacks something or holds a wrong value: {error}; train the model again.") from None
        if classes is None or list(decision.classes) != list(classes):
            raise InvalidEncoder(f"{DECISION} is of other classes than the encoder beside it; train the model again.")
        return decision


def _content(document: bytes) -> dict[str, Any]:  # Any: JSON
    try:
        content = json.loads(document)
        version = content["version"]
    except (ValueError, TypeError, KeyError):
        raise InvalidEncoder(f"{DECISION} is damaged: it is no decision's document; train the model again.") from None
    if not isinstance(version, int) or version < 1:
        raise InvalidEncoder(f"{DECISION} is damaged: its version is {version!r}; train the model again.")
    if version > VERSION:
        raise InvalidEncoder(f"{DECISION} has version {version}, this code reads up to {VERSION}; deploy the newer Sageline.")
    if content.pop("sha256", None) != _checksum(content):
        raise InvalidEncoder(f"{DECISION} is damaged: its checksum differs; train the model again.")
    found: dict[str, Any] = content
    return found


def _of_json(content: Mapping[str, Any]) -> Decision:  # Any: JSON
    classes, calibration = content["classes"], content["calibration"]
    threshold, offsets = content["threshold"], content["offsets"]
    decision = Decision(
        classes,
        content["metric"],
        content["positive"],
        None if calibration is None else _calibration(calibration),
        None if threshold is None else float(threshold["at"]),
        None if offsets is None else tuple(float(offsets[label]) for label in classes),
        content["rows"],
        content["measured"],
    )
    needs_two = decision.threshold is not None or isinstance(decision.calibration, Isotonic)
    if needs_two and (len(classes) != 2 or decision.positive is None):
        raise ValueError("a threshold and an isotonic calibration are for two classes, one of them the positive one")
    if decision.positive is not None and decision.positive not in classes:
        raise ValueError(f"the positive class {decision.positive!r} is none of the classes")
    return decision


def _calibration(document: Mapping[str, Any]) -> Temperature | Isotonic:  # Any: JSON
    match document["kind"]:
        case "temperature":
            if not document["temperature"] > 0:
                raise ValueError(f"the temperature is {document['temperature']}")
            return Temperature(float(document["temperature"]))
        case "isotonic":
            scores, probabilities = tuple(document["scores"]), tuple(document["probabilities"])
            if not scores or len(scores) != len(probabilities):
                raise ValueError(f"{len(scores)} scores have {len(probabilities)} probabilities")
            return Isotonic(scores, probabilities)
        case other:
            raise ValueError(f"unknown calibration {other!r}")


def _checksum(content: Mapping[str, Any]) -> str:  # Any: JSON
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
