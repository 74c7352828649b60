"""The hyperparameters of SageMaker's XGBoost containers, checked in their order and in their words.

Source: ``algorithm_mode/hyperparameter_validation.py`` and ``sagemaker_algorithm_toolkit`` of aws/sagemaker-xgboost-container at
cb8df91, which is that of the newest image; what older ones know is in ``versions``. The container runs what
``monotone_constraints`` says as a program; here only a literal is read.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sagemaker_emulator.engines.xgboost.failures import AlgorithmError, UserError
from sagemaker_emulator.engines.xgboost.versions import NEWEST, Version

Value: TypeAlias = int | float | str | list[str] | list[list[int]] | tuple[int, ...]
Values: TypeAlias = Mapping[str, Value]

_ALIASES = {"learning_rate": "eta", "min_split_loss": "gamma", "reg_lambda": "lambda", "reg_alpha": "alpha"}

MAXIMIZE_METRICS = (
    *("accuracy", "auc", "aucpr", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "map", "ndcg", "precision", "r2"),
    *("recall", "precision_macro", "precision_micro", "recall_macro", "recall_micro"),
)
METRICS = (
    *MAXIMIZE_METRICS,
    *("aft-nloglik", "cox-nloglik", "error", "gamma-deviance", "gamma-nloglik", "interval-regression-accuracy", "logloss"),
    *("mae", "mape", "merror", "mlogloss", "mphe", "mse", "poisson-nloglik", "rmse", "rmsle", "tweedie-nloglik"),
)
_OBJECTIVES = (
    *("aft_loss_distribution", "binary:logistic", "binary:logitraw", "binary:hinge", "count:poisson", "multi:softmax"),
    *("multi:softprob", "rank:pairwise", "rank:ndcg", "rank:map", "reg:linear", "reg:squarederror", "reg:logistic", "reg:gamma"),
    *("reg:pseudohubererror", "reg:squaredlogerror", "reg:absoluteerror", "reg:tweedie", "survival:aft", "survival:cox"),
)
_TREE_UPDATERS = (
    *("grow_colmaker", "distcol", "grow_histmaker", "grow_local_histmaker", "grow_skmaker", "sync", "refresh", "prune"),
)
_TREE_BUILDERS = ("grow_colmaker", "distcol", "grow_histmaker", "grow_local_histmaker", "grow_quantile_histmaker")
_LINEAR_UPDATERS = ("shotgun", "coord_descent")
_THRESHOLD_METRICS = ("error", "ndcg", "map")
_NESTED = "interaction_constraints"
_LISTS = ("updater", "eval_metric", "monotone_constraints", _NESTED)


@dataclass(frozen=True)
class _Interval:
    """``ends`` is how it is written: a round bracket leaves the bound out. Not a number is within, as in the container."""

    low: float
    high: float
    ends: str

    def __contains__(self, value: Any) -> bool:  # Any: what a literal says
        """TypeError for what is no number."""
        too_low = value <= self.low if self.ends[0] == "(" else value < self.low
        too_high = value >= self.high if self.ends[1] == ")" else value > self.high
        return not (too_low or too_high)

    def __str__(self) -> str:
        high = "+inf)" if self.high == math.inf else f"{self.high}{self.ends[1]}"
        return f"{self.ends[0]}{self.low}, {high}"


_Allowed: TypeAlias = _Interval | list[str] | list[int]


@dataclass(frozen=True)
class _Row:
    """How a value is read from its text (ValueError, or another error of its own), and what it may be."""

    read: Callable[[str], Value]
    allowed: _Allowed


def _int(low: float, high: float = math.inf, ends: str = "[]") -> _Row:
    return _Row(int, _Interval(low, high, ends))


def _float(low: float, high: float = math.inf, ends: str = "[]") -> _Row:
    return _Row(float, _Interval(low, high, ends))


def _choice(*names: str) -> _Row:
    return _Row(str, list(names))


def _names(*names: str) -> _Row:
    return _Row(lambda text: text.split(","), list(names))


_TABLE: Mapping[str, _Row] = {
    "num_round": _int(1),
    "csv_weights": _int(0, 1),
    "early_stopping_rounds": _int(1),
    "booster": _choice("gbtree", "gblinear", "dart"),
    "verbosity": _int(0, 3),
    "nthread": _int(1),
    "eta": _float(0, 1),
    "gamma": _float(0),
    "max_depth": _int(0),
    "min_child_weight": _float(0),
    "max_delta_step": _float(0),
    "subsample": _float(0, 1, "(]"),
    "colsample_bytree": _float(0, 1, "(]"),
    "colsample_bylevel": _float(0, 1, "(]"),
    "colsample_bynode": _float(0, 1, "(]"),
    "lambda": _float(0),
    "alpha": _float(0),
    "tree_method": _choice("auto", "exact", "approx", "hist", "gpu_hist"),
    "sketch_eps": _float(0, 1, "()"),
    "scale_pos_weight": _float(0, ends="(]"),
    # Several times over in the container, which lists them in its message.
    "updater": _names(*_TREE_UPDATERS, *_TREE_UPDATERS[:4], "grow_colmaker", *_LINEAR_UPDATERS, "refresh", "prune"),
    "dsplit": _choice("row", "col"),
    "refresh_leaf": _int(0, 1),
    "process_type": _choice("default", "update"),
    "grow_policy": _choice("depthwise", "lossguide"),
    "max_leaves": _int(0),
    "max_bin": _int(0),
    "predictor": _choice("auto", "cpu_predictor", "gpu_predictor"),
    "monotone_constraints": _Row(ast.literal_eval, [-1, 0, 1]),
    "interaction_constraints": _Row(ast.literal_eval, _Interval(1, math.inf, "[]")),
    "sample_type": _choice("uniform", "weighted"),
    "normalize_type": _choice("tree", "forest"),
    "rate_drop": _float(0, 1),
    "one_drop": _int(0, 1),
    "skip_drop": _float(0, 1),
    "lambda_bias": _float(0, 1),
    "tweedie_variance_power": _float(1, 2, "()"),
    "objective": _choice(*_OBJECTIVES),
    "num_class": _int(2),
    "base_score": _float(0),
    "_kfold": _int(2),
    "_num_cv_round": _int(1),
    "_tuning_objective_metric": _choice(*(f"validation:{metric}" for metric in METRICS)),
    "eval_metric": _names(*METRICS),
    "seed": _int(-(2**31), 2**31 - 1, "()"),
    "num_parallel_tree": _int(1),
    "save_model_on_termination": _choice("true", "false"),
    "aft_loss_distribution": _choice("normal", "logistic", "extreme"),
    "aft_loss_distribution_scale": _float(0),
    "deterministic_histogram": _choice("true", "false"),
    "sampling_method": _choice("uniform", "gradient_based"),
    "prob_buffer_row": _int(1.0, ends="(]"),
    "use_dask_gpu_training": _choice("true", "false"),
    "silent": _int(0, 1),
    "single_precision_histogram": _choice("true", "false"),
    "_nfold": _int(2),
}

NAMES = tuple(_TABLE)
"""The hyperparameters of all images together."""


def read(strings: Mapping[str, str], version: Version = NEWEST) -> dict[str, Value]:
    """What the container hands to XGBoost, aliases resolved; raises UserError or AlgorithmError for the first problem."""
    given = {_ALIASES.get(name, name) if version.knows_hyperparameter(name) else name: text for name, text in strings.items()}
    if "num_round" not in given:
        raise UserError("Missing required hyperparameter: num_round")
    rows = {name: row for name, row in _TABLE.items() if version.knows_hyperparameter(name)}
    values = {name: _read(name, text, rows.get(name)) for name, text in given.items()}
    for name, value in values.items():
        _check_range(name, value, _known(name, rows[name].allowed, version))
    for problem in _disagreements(values, version):
        raise UserError(problem)
    return values


def _known(name: str, allowed: _Allowed, version: Version) -> _Allowed:
    """What a value may be in an image: lists of names grew over time."""
    if isinstance(allowed, _Interval):
        return allowed
    if name == "_tuning_objective_metric":
        return [f"validation:{metric}" for metric in METRICS if version.knows_value("eval_metric", metric)]
    return [value for value in allowed if version.knows_value(name, str(value))]  # type: ignore[return-value]  # all of one type


def _read(name: str, text: str, row: _Row | None) -> Value:
    if row is None:
        raise UserError(f"Extraneous hyperparameter found: {name}")
    try:
        return row.read(text)
    except (ValueError, SyntaxError) as error:
        raise UserError(f"Hyperparameter {name}: could not parse value (caused by {type(error).__name__})") from error


def _check_range(name: str, value: Value, allowed: _Allowed) -> None:
    if name not in _LISTS:
        if value not in allowed:
            raise UserError(f"Hyperparameter {name}: {value} is not in {allowed}")
        return
    try:
        items = _items(name, value)
        has_threshold = [name == "eval_metric" and "@" in str(item) for item in items]
        is_allowed = [_is_metric(str(item)) if at else item in allowed for item, at in zip(items, has_threshold, strict=True)]
    except TypeError as error:
        said = f"Hyperparameter {name}: unexpected failure when validating {value}"
        raise AlgorithmError(f"{said} (caused by TypeError)") from error
    if not all(is_allowed):
        raise UserError(f"Hyperparameter {name}: value {value} not in range {allowed}")


def _items(name: str, value: Any) -> list[object]:  # Any: what a literal says
    """TypeError for what is no list, or no list of lists."""
    return [item for part in value for item in part] if name == _NESTED else list(value)


def _is_metric(metric: str) -> bool:
    """Whether it is one with a threshold; raises UserError where it is not."""
    name, _, threshold = (part.strip() for part in metric.partition("@"))
    if name not in _THRESHOLD_METRICS:
        raise UserError(
            f"Metric '{metric}' is not supported. Parameter 'eval_metric' with customized threshold should "
            "be one of these options: 'error', 'ndcg', 'map'."
        )
    try:
        float(threshold)
    except ValueError:
        raise UserError(f"Threshold value 't' in '{name}@t' expects float input.") from None
    return True


def _disagreements(values: Values, version: Version) -> Iterable[str]:
    """Problems of values that do not go together."""
    objective, tree_method = values.get("objective"), values.get("tree_method")
    if objective in ("multi:softmax", "multi:softprob") and "num_class" not in values:
        yield "Require input for parameter 'num_class' for multi-classification"
    metrics = values.get("eval_metric")
    if isinstance(metrics, list):
        if objective is None and version.asks_for_objective:
            # The container looks it up without asking whether it is there: a bare KeyError.
            yield "eval_metric needs objective: the container fails with KeyError: 'objective' without it"
        if "auc" in metrics and not str(objective).startswith(("binary:", "rank:")):
            yield "Metric 'auc' can only be applied for classification and ranking problems."
        if "aft-nloglik" in metrics and objective != "survival:aft":
            yield "Metric 'aft-nloglik' can only be applied for 'survival:aft' objective."
    only = "can be used only when the tree_method parameter is set to either"
    if "monotone_constraints" in values and tree_method not in ("exact", "hist"):
        yield f"monotone_constraints {only} 'exact' or 'hist'."
    if "interaction_constraints" in values and tree_method not in ("exact", "hist", "approx"):
        yield f"interaction_constraints {only} 'exact', 'hist' or 'approx'."
    updaters = values.get("updater")
    if isinstance(updaters, list):
        yield from _updater_disagreements([str(name) for name in updaters], values)


def _updater_disagreements(updaters: list[str], values: Values) -> Iterable[str]:
    if values.get("booster") == "gblinear":
        if len(updaters) != 1 or updaters[0] not in _LINEAR_UPDATERS:
            yield "Linear updater should be one of these options: 'shotgun', 'coord_descent'."
    elif values.get("process_type") == "update":
        if not all(name in ("refresh", "prune") for name in updaters):
            yield "process_type 'update' can only be used with updater 'refresh' and 'prune'"
    elif not all(name in _TREE_UPDATERS for name in updaters):
        yield (
            "Tree updater should be selected from these options: 'grow_colmaker', 'distcol', 'grow_histmaker', "
            "'grow_skmaker', 'grow_quantile_histmaker', 'sync', 'refresh', 'prune', 'shortgun', 'coord_descent'."
        )
    elif sum(name in _TREE_BUILDERS for name in updaters) > 1:
        yield (
            "Only one tree grow plugin can be selected. Choose one from thefollowing: 'grow_colmaker', 'distcol', "
            "'grow_histmaker', 'grow_skmaker'"
        )
