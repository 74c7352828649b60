"""The document ``evaluation.json``, as the report reads it: the one module that knows its keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sageline.json_objects import Document
from sageline.report.drawing.figures import as_number, objects, part
from sageline.spec.metrics import METRICS, current_name, default_metric, shown_metrics


@dataclass(frozen=True)
class Evaluation:
    """Wraps the document; what it does not tell is empty or None."""

    document: Document

    @property
    def task(self) -> str:
        return str(self.document.get("task", "classification"))

    @property
    def is_regression(self) -> bool:
        return self.task == "regression"

    @property
    def metric(self) -> str:
        """The metric that decides."""
        return current_name(str(self.document.get("metric") or default_metric(self.task)))

    @property
    def rows(self) -> int | None:
        found = as_number(self.document.get("rows"))
        return None if found is None else int(found)

    @property
    def names(self) -> list[str]:
        """The metrics to show, the deciding one first."""
        return sorted(shown_metrics(self.task, len(self.classes)), key=lambda name: name != self.metric)

    @property
    def metrics(self) -> dict[str, float | None]:
        return _numbers(part(self.document, "metrics"))

    @property
    def standard_errors(self) -> dict[str, float | None]:
        return _numbers(part(self.document, "standard_errors"))

    @property
    def baseline(self) -> Document:
        return part(self.document, "baseline")

    @property
    def baseline_metrics(self) -> dict[str, float | None]:
        return _numbers(part(self.baseline, "metrics"))

    @property
    def gate(self) -> Document:
        return part(self.document, "gate")

    @property
    def checks(self) -> list[Document]:
        return objects(self.gate.get("checks"))

    @property
    def champion(self) -> Document:
        """The model in service, and the test against it."""
        return part(self.document, "champion")

    @property
    def champion_metrics(self) -> dict[str, float | None]:
        return _numbers(part(self.champion, "metrics"))

    @property
    def comparison(self) -> Document:
        return part(self.champion, "comparison")

    @property
    def classes(self) -> list[Document]:
        return objects(self.document.get("classes"))

    @property
    def confusion(self) -> Document:
        return part(self.document, "confusion")

    @property
    def decision(self) -> Document:
        """What was chosen on the validation rows, and the test rows without it."""
        return part(self.document, "decision")

    @property
    def calibration(self) -> list[Document]:
        return objects(self.document.get("calibration"))

    @property
    def positive(self) -> str | None:
        """The label that is looked for; None where none in particular is."""
        found = self.document.get("positive")
        return None if found is None else str(found)

    @property
    def ranked_rows(self) -> int | None:
        """Of how many rows the metrics of the scores' order are, where these are not all."""
        found = as_number(self.document.get("ranked_rows"))
        return None if found is None else int(found)

    @property
    def roc(self) -> list[tuple[float, float]]:
        return _points(part(self.document, "curves").get("roc"))

    @property
    def precision_recall(self) -> list[tuple[float, float]]:
        return _points(part(self.document, "curves").get("precision_recall"))

    @property
    def residuals(self) -> Document:
        return part(self.document, "residuals")


def lower_is_better(metric: str) -> bool:
    return metric in METRICS and METRICS[metric].better == "lower"


def display_name(metric: str) -> str:
    """``top_3_accuracy`` for people: ``top 3 accuracy``; abbreviations and labels stay."""
    abbreviations = {"rmse": "RMSE", "mae": "MAE", "mape": "MAPE", "r2": "R²", "macro_f1": "macro F1", "roc_auc": "ROC AUC"}
    kind, colon, label = metric.partition(":")
    return abbreviations.get(kind, kind.replace("_", " ")) + colon + label


def _numbers(values: Mapping[str, object]) -> dict[str, float | None]:
    return {current_name(name): as_number(value) for name, value in values.items()}


def _points(pairs: object) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in pairs] if isinstance(pairs, list) else []
