"""Candidates of a run of several algorithms, as its record has them."""

from __future__ import annotations

from sageline.json_objects import Json

TREES, LINEAR, WORDS = (f"wine-{name}-20261120100000-abc123" for name in ("xgboost", "linear-learner", "blazingtext"))
PLANNED: list[Json] = [{"run_id": TREES, "algorithm": "xgboost"}, {"run_id": LINEAR, "algorithm": "linear-learner"}]


def answered(run_id: str, algorithm: str, value: float | None, **changes: object) -> Json:
    """One whose model has answered the validation rows."""
    return {
        "run_id": run_id,
        "algorithm": algorithm,
        "chosen": False,
        "metric": "accuracy",
        "value": value,
        "standard_error": 0.0112,
        "rows": 180,
        "training_seconds": 34,
        "usd": 0.0123,
        "bytes": 1_234_567,
        "milliseconds_per_row": 83.21,
        "encoder": {"kind": "columns", "columns": 12345},
        "hyperparameters": {"eta": "0.12345678", "max_depth": 6},
        "problem": None,
        **changes,
    }


def failed(run_id: str, algorithm: str, problem: str) -> Json:
    """One that has no model, as it is listed."""
    known = ("metric", "value", "standard_error", "rows", "training_seconds", "usd", "bytes", "milliseconds_per_row", "encoder")
    unknown: Json = dict.fromkeys(known)
    named = {"run_id": run_id, "algorithm": algorithm, "chosen": False, "hyperparameters": {}}
    return unknown | named | {"problem": problem}


COMPARED: list[Json] = [
    answered(TREES, "xgboost", 0.90123),
    answered(LINEAR, "linear-learner", 0.93, chosen=True, hyperparameters={"epochs": 15}),
    failed(WORDS, "blazingtext", "AlgorithmError: [no] tokens."),
]
