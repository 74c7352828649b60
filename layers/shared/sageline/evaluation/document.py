"""``evaluation.json``, whose parts are described in docs/evaluation.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sageline.evaluation.baseline import BaselineComparison
from sageline.evaluation.classification import ClassificationSums
from sageline.evaluation.comparison import Comparison
from sageline.evaluation.gate import GateDecision
from sageline.evaluation.regression import RegressionSums
from sageline.json_objects import Json

VERSION = 1


@dataclass(frozen=True)
class Champion:
    """What the evaluation says of the model in service.

    Attributes:
        variant: the endpoint's variant, which is the run that has made the model.
        metrics: its metrics on the same rows; empty when they are not known.
        comparison: None when there is none, and then ``problem`` says why, or its answers are still awaited.
    """

    variant: str
    metrics: dict[str, float | None]
    comparison: Comparison | None
    problem: str | None = None

    def to_json(self) -> dict[str, Any]:  # Any: a JSON document
        comparison = None if self.comparison is None else self.comparison.to_json()
        return {"variant": self.variant, "metrics": self.metrics, "comparison": comparison, "problem": self.problem}


def evaluation_json(
    *,
    run_id: str,
    created_at: str,
    metric: str,
    sums: ClassificationSums | RegressionSums,
    warnings: Sequence[str],
    baseline: BaselineComparison | None,
    decision: Json | None,
    before: ClassificationSums | None,
    champion: Champion | None,
    gate: GateDecision | None,
) -> bytes:
    """The document as it is stored.

    Args:
        created_at: ISO 8601 with a ``Z``.
        metric: what the spec judges models by.
        warnings: what is to be known of the model before it is used, most important first.
        baseline: the model beside the baseline; None where there are too few rows to tell.
        decision: what was chosen on the validation rows; None where nothing could be.
        before: what the test rows say of the model without its decision; None where it has none.
        gate: None while the answers of the model in service are awaited.
    """
    summary = sums.document()
    summary["baseline"]["comparison"] = None if baseline is None else baseline.to_json()
    document = {
        "version": VERSION,
        "run_id": run_id,
        "created_at": created_at,
        "task": "classification" if isinstance(sums, ClassificationSums) else "regression",
        "warnings": list(warnings),
        "rows": sums.rows,
        "metric": metric,
        "metrics": sums.metrics(),
        "standard_errors": sums.standard_errors(),
        **summary,
        "decision": None if decision is None else decision | {"before": None if before is None else without_decision(before)},
        "champion": None if champion is None else champion.to_json(),
        "gate": {"decision": "compare", "reason": "", "checks": []} if gate is None else gate.to_json(),
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()


def without_decision(sums: ClassificationSums) -> dict[str, Any]:  # Any: a JSON document
    """``decision.before`` of ``evaluation.json``: what the test rows say of the model without its decision."""
    told = sums.document()
    kept = {name: told[name] for name in ("classes", "calibration")}
    return {"metrics": sums.metrics(), "standard_errors": sums.standard_errors(), **kept}
