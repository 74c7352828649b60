"""XGBoost as Sageline runs it: defaults for a task, and hyperparameters that it must not get.

Hyperparameters are those of SageMaker's XGBoost 3.2 container in algorithm mode
(``aws/sagemaker-xgboost-container``).
"""

from __future__ import annotations

from collections.abc import Mapping

from sageline.algorithms.facts import DataFacts, Direction, Hyperparameters, Rules
from sageline.algorithms.xgboost_fit import base_score_problem, label_problem, metric_problem
from sageline.algorithms.xgboost_hyperparameters import ALIASES, HYPERPARAMETERS, MAXIMIZE_METRICS, validate

_OBJECTIVES = {
    "binary": {"binary:logistic", "multi:softprob"},
    "multiclass": {"multi:softprob"},
    "regression": {
        *("count:poisson", "reg:linear", "reg:squarederror", "reg:logistic", "reg:gamma", "reg:pseudohubererror"),
        *("reg:squaredlogerror", "reg:absoluteerror", "reg:tweedie"),
    },
}
"""Objectives whose answers can be decoded: a probability per class, or a value."""


def _refused(strings: Mapping[str, str]) -> list[str]:
    return [sentence.rstrip(".") + "." for sentence in validate(strings)]


def _defaults(given: Mapping[str, str | int | float | bool], facts: DataFacts) -> Hyperparameters:
    """Many small steps, stopped when the validation rows no longer get better, do well from a hundred rows to a million, in
    text and tables alike. Without validation rows nothing says when to stop, so there are fewer.
    """
    named = {ALIASES.get(key, key) for key in given}
    defaults: Hyperparameters = {"num_round": 100, "eta": 0.2, "max_depth": 6, "subsample": 0.8, "colsample_bytree": 0.5}
    if facts.has_validation and not {"num_round", "_kfold"} & named:
        defaults |= {"num_round": 300, "early_stopping_rounds": 20}
    if facts.weighted:
        defaults["csv_weights"] = 1
    binary = not facts.several_classes and "num_class" not in named
    if facts.task == "regression":
        defaults |= {"objective": "reg:squarederror", "eval_metric": "mae,rmse"}
    elif binary and given.get("objective", "binary:logistic") == "binary:logistic":
        defaults |= {"objective": "binary:logistic", "eval_metric": "error,logloss"}
    else:
        defaults |= {"objective": "multi:softprob", "num_class": facts.num_class or 2, "eval_metric": "merror,mlogloss"}
    return defaults


def _objective(strings: Mapping[str, str], facts: DataFacts) -> str | None:
    """The objective that will be trained with; None while the number of classes that it depends on is not known."""
    if "objective" in strings:
        return strings["objective"]
    if facts.task == "classification" and facts.num_class is None and "num_class" not in strings:
        return None
    return str(_defaults(strings, facts)["objective"])


def _misfits(strings: Mapping[str, str], facts: DataFacts) -> list[str]:
    problems = _undecodable(strings, facts.task, facts.num_class)
    objective = _objective(strings, facts)
    if not problems:
        problems += _labels_out_of_range(strings, facts)
        problems += _metrics_that_do_not_fit(strings, objective, facts)
    if objective is not None and "base_score" in strings:
        problems += [problem for problem in [base_score_problem(strings["base_score"], objective)] if problem]
    if "early_stopping_rounds" in strings and not facts.has_validation:
        problems.append("early_stopping_rounds needs validation rows: give `split.validation` a larger share.")
    if strings.get("csv_weights", str(int(facts.weighted))) != str(int(facts.weighted)):
        there = "has weights" if facts.weighted else "has no weights"
        problems.append(
            f"csv_weights is {strings['csv_weights']}, and the training data {there}; leave it out: `dataset.weight` names a "
            "column of weights."
        )
    return problems


def _labels_out_of_range(strings: Mapping[str, str], facts: DataFacts) -> list[str]:
    objective = strings.get("objective", "")
    why = label_problem(objective, facts)
    if why is None:
        return []
    others = ", ".join(sorted(name for name in _OBJECTIVES["regression"] if label_problem(name, facts) is None))
    return [f"objective {objective} does not fit the label: {why}; leave it out, or use one of: {others}."]


def _metrics_that_do_not_fit(strings: Mapping[str, str], objective: str | None, facts: DataFacts) -> list[str]:
    # While the number of classes is not known the objective is one of two: what neither of them can report is refused.
    possible = (objective,) if objective else sorted(_OBJECTIVES["binary"])
    data = f"{facts.num_class} classes" if facts.num_class is not None else f"a {facts.task}"
    metrics_by_reason: dict[str, list[str]] = {}
    for metric in strings.get("eval_metric", "").split(","):
        reasons = [reason for name in possible if (reason := metric_problem(metric, name, facts))]
        if len(reasons) == len(possible):
            metrics_by_reason.setdefault(reasons[0], []).append(metric)
    fitting = ", ".join(name.partition(":")[2] for name in _metrics(strings, facts))
    return [
        f"eval_metric {', '.join(metrics)} does not fit {data}: {reason}; leave it out, or use some of: {fitting}."
        for reason, metrics in metrics_by_reason.items()
    ]


def _metrics(strings: Mapping[str, str], facts: DataFacts) -> dict[str, Direction]:
    """What XGBoost can report for such data; the usual one moves with every change, where a share of errors stands still."""
    binary, several = ("logloss", "error", "auc", "aucpr"), ("mlogloss", "merror")
    shared = ("accuracy", "balanced_accuracy", "f1", "f1_macro", "precision_macro", "recall_macro")
    objective = _objective(strings, facts)
    if facts.task == "regression":
        names: tuple[str, ...] = ("rmse", "mse", "mae", "mape", "mphe", "rmsle", "r2", "gamma-nloglik", "poisson-nloglik")
    elif objective is None:
        names = (*binary, *several, *shared)
    else:
        names = (*several, *shared) if objective.startswith("multi:") else (*binary, *shared)
    possible = [name for name in names if objective is None or metric_problem(name, objective, facts) is None]
    return {f"validation:{name}": "Maximize" if name in MAXIMIZE_METRICS else "Minimize" for name in possible}


def _undecodable(strings: Mapping[str, str], task: str, num_class: int | None) -> list[str]:
    problems = []
    several = num_class is not None and num_class > 2
    kind = "regression" if task == "regression" else "multiclass" if several else "binary"
    objective = strings.get("objective")
    if objective is not None and objective not in _OBJECTIVES[kind]:
        data = f"{num_class} classes" if num_class is not None else f"a {task}"
        allowed = ", ".join(sorted(_OBJECTIVES[kind]))
        problems.append(f"objective {objective} does not fit {data}; leave it out, or use one of: {allowed}.")
    if "num_class" in strings:
        if objective == "binary:logistic" or task == "regression":
            problems.append(f"num_class does not go with {objective or 'a regression'}; leave it out.")
        elif num_class is not None and strings["num_class"] != str(num_class):
            problems.append(f"num_class is {strings['num_class']}, the data has {num_class} classes; leave it out.")
    return problems


RULES = Rules(
    table=HYPERPARAMETERS,
    # By its old name XGBoost 3 trains the same, and then cannot keep the best rounds: a training that stops early fails.
    renamed={"objective": {"reg:linear": "reg:squarederror"}},
    refused=_refused,
    defaults=_defaults,
    misfits=_misfits,
    metrics=_metrics,
    from_data=frozenset({"num_class", "objective", "eval_metric", "csv_weights"}),
    ranges={
        "eta": {"type": "continuous", "min": 0.02, "max": 0.5, "scaling": "Logarithmic"},
        "max_depth": {"type": "integer", "min": 2, "max": 10},
        "min_child_weight": {"type": "continuous", "min": 1.0, "max": 20.0, "scaling": "Logarithmic"},
        "subsample": {"type": "continuous", "min": 0.5, "max": 1.0},
        "colsample_bytree": {"type": "continuous", "min": 0.3, "max": 1.0},
    },
    iterations="num_round",
    aliases=ALIASES,
)
