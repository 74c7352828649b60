"""``evaluation.json``, whose parts are described in docs/evaluation.md."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sageline.evaluation.classification import ClassificationSums
from sageline.evaluation.comparison import Comparison
from sageline.evaluation.gate import Decision
from sageline.evaluation.regression import RegressionSums

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
    champion: Champion | None,
    gate: Decision | None,
) -> bytes:
    """The document as it is stored.

    Args:
        created_at: ISO 8601 with a ``Z``.
        metric: what the spec judges models by.
        gate: None while the answers of the model in service are awaited.
    """
    document = {
        "version": VERSION,
        "run_id": run_id,
        "created_at": created_at,
        "task": "classification" if isinstance(sums, ClassificationSums) else "regression",
        "rows": sums.rows,
        "metric": metric,
        "metrics": sums.metrics(),
        "standard_errors": sums.standard_errors(),
        **sums.document(),
        "champion": None if champion is None else champion.to_json(),
        "gate": {"decision": "compare", "reason": "", "checks": []} if gate is None else gate.to_json(),
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
