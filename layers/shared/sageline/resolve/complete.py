"""The last defaults of a spec: those that only the whole data could tell."""

from __future__ import annotations

from collections.abc import Mapping

from sageline.algorithms.catalog import DataFacts, check, default_objective, metrics, with_defaults
from sageline.algorithms.tuning import check_tuning
from sageline.resolve.judging import complete_evaluation
from sageline.spec.model import Spec
from sageline.spec.training import ObjectiveSpec


def complete_spec(spec: Spec, facts: DataFacts, train_rows: Mapping[str, int]) -> Spec:
    """A resolved spec with every hyperparameter, with the objective of its tuning, and with what the model is judged by.

    Args:
        train_rows: of each class, in the order of the classes; empty for a regression.

    Raises:
        InvalidHyperparameter: a hyperparameter does not go with the data.
        InvalidSpec: the tuning or the evaluation does not.
    """
    spec = complete_evaluation(spec, train_rows)
    tuning, reasons = spec.tuning, dict(spec.reasons)
    tuned = list(tuning.ranges) if tuning else []
    check(spec.algorithm, facts, tuned)
    hyperparameters = with_defaults(spec.algorithm, facts, tuned)
    if tuning is not None:
        check_tuning(tuning, spec.algorithm, facts)
        objective = tuning.objective
        if objective is None:
            metric, direction = default_objective(spec.algorithm, facts)
            objective = ObjectiveSpec(metric=metric, type=direction)
            reasons["tuning.objective"] = f"the usual one of {spec.algorithm.name} for such data"
        elif objective.type is None:
            objective = ObjectiveSpec(metric=objective.metric, type=metrics(spec.algorithm, facts)[objective.metric])
        tuning = tuning.model_copy(update={"objective": objective})
    algorithm = spec.algorithm.model_copy(update={"hyperparameters": hyperparameters})
    return spec.model_copy(update={"algorithm": algorithm, "tuning": tuning, "reasons": reasons})
