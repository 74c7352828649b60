"""The hyperparameters that SageMaker's XGBoost 3.2 container accepts, and the messages with which it refuses others.

Source: the validator of ``aws/sagemaker-xgboost-container`` (algorithm mode). The container stops at the first
problem; :func:`validate` lists all of them, in the order in which the container would meet them.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping

from sageline.algorithms.hyperparameters import Choice, Hyperparameter, Interval, Value

# A hyperparameter may be given by either name; the container renames the first to the second.
ALIASES = {"learning_rate": "eta", "min_split_loss": "gamma", "reg_lambda": "lambda", "reg_alpha": "alpha"}

MAXIMIZE_METRICS = (
    *("accuracy", "auc", "aucpr", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "map", "ndcg", "precision", "r2"),
    *("recall", "precision_macro", "precision_micro", "recall_macro", "recall_micro"),
)
MINIMIZE_METRICS = (
    *("aft-nloglik", "cox-nloglik", "error", "gamma-deviance", "gamma-nloglik", "interval-regression-accuracy", "logloss"),
    *("mae", "mape", "merror", "mlogloss", "mphe", "mse", "poisson-nloglik", "rmse", "rmsle", "tweedie-nloglik"),
)
METRICS = (*MAXIMIZE_METRICS, *MINIMIZE_METRICS)

OBJECTIVES = (
    *("binary:logistic", "binary:logitraw", "binary:hinge", "count:poisson", "multi:softmax", "multi:softprob"),
    *("rank:pairwise", "rank:ndcg", "rank:map", "reg:linear", "reg:squarederror", "reg:logistic", "reg:gamma"),
    *("reg:pseudohubererror", "reg:squaredlogerror", "reg:absoluteerror", "reg:tweedie", "survival:aft", "survival:cox"),
)
# Its messages name grow_quantile_histmaker too, which it refuses all the same.
_TREE_UPDATERS = ("grow_colmaker", "distcol", "grow_histmaker", "grow_skmaker", "sync", "refresh", "prune")
_TREE_BUILDERS = ("grow_colmaker", "distcol", "grow_histmaker")
_LINEAR_UPDATERS = ("shotgun", "coord_descent")
_THRESHOLD_METRICS = ("error", "ndcg", "map")


def _int(low: float = -math.inf, high: float = math.inf, *, required: bool = False, **ends: bool) -> Hyperparameter:
    return Hyperparameter(int, Interval(low, high, **ends), required)


def _float(low: float = -math.inf, high: float = math.inf, **ends: bool) -> Hyperparameter:
    return Hyperparameter(float, Interval(low, high, **ends))


def _choice(*names: str) -> Hyperparameter:
    return Hyperparameter(str, Choice(names))


def _names(*names: str) -> Hyperparameter:
    return Hyperparameter(lambda text: text.split(","), Choice(names))


def _whole_numbers(text: str) -> tuple[int, ...]:
    numbers = ast.literal_eval(text)
    if not isinstance(numbers, tuple | list) or not all(isinstance(number, int) for number in numbers):
        raise ValueError(text)
    return tuple(numbers)


def _groups(text: str) -> list[list[int]]:
    groups = ast.literal_eval(text)
    if not isinstance(groups, list) or not all(isinstance(group, list) for group in groups):
        raise ValueError(text)
    return groups


HYPERPARAMETERS: Mapping[str, Hyperparameter] = {
    "num_round": _int(1, required=True),
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
    "subsample": _float(0, 1, open_low=True),
    "colsample_bytree": _float(0, 1, open_low=True),
    "colsample_bylevel": _float(0, 1, open_low=True),
    "colsample_bynode": _float(0, 1, open_low=True),
    "lambda": _float(0),
    "alpha": _float(0),
    "tree_method": _choice("auto", "exact", "approx", "hist", "gpu_hist"),
    "sketch_eps": _float(0, 1, open_low=True, open_high=True),
    "scale_pos_weight": _float(0, open_low=True),
    "updater": _names(*_TREE_UPDATERS, *_LINEAR_UPDATERS),
    "dsplit": _choice("row", "col"),
    "refresh_leaf": _int(0, 1),
    "process_type": _choice("default", "update"),
    "grow_policy": _choice("depthwise", "lossguide"),
    "max_leaves": _int(0),
    "max_bin": _int(0),
    "predictor": _choice("auto", "cpu_predictor", "gpu_predictor"),
    "monotone_constraints": Hyperparameter(_whole_numbers, Choice((-1, 0, 1))),
    "interaction_constraints": Hyperparameter(_groups, Interval(1)),
    "sample_type": _choice("uniform", "weighted"),
    "normalize_type": _choice("tree", "forest"),
    "rate_drop": _float(0, 1),
    "one_drop": _int(0, 1),
    "skip_drop": _float(0, 1),
    "lambda_bias": _float(0, 1),
    "tweedie_variance_power": _float(1, 2, open_low=True, open_high=True),
    "objective": _choice(*OBJECTIVES),
    "num_class": _int(2),
    "base_score": _float(0),
    "_kfold": _int(2),
    "_num_cv_round": _int(1),
    "_tuning_objective_metric": _choice(*(f"validation:{metric}" for metric in METRICS)),
    "eval_metric": _names(*METRICS),
    "seed": _int(-(2**31), 2**31 - 1, open_low=True, open_high=True),
    "num_parallel_tree": _int(1),
    "save_model_on_termination": _choice("true", "false"),
    "aft_loss_distribution": _choice("normal", "logistic", "extreme"),
    "aft_loss_distribution_scale": _float(0),
    "deterministic_histogram": _choice("true", "false"),
    "sampling_method": _choice("uniform", "gradient_based"),
    "prob_buffer_row": _int(1, open_low=True),
    "use_dask_gpu_training": _choice("true", "false"),
}


def validate(hyperparameters: Mapping[str, str]) -> list[str]:
    """The container's messages for everything that it would refuse; an empty list when it would train.

    ``hyperparameters`` is what CreateTrainingJob takes: strings to strings.
    """
    return parse(hyperparameters)[1]


def parse(hyperparameters: Mapping[str, str]) -> tuple[dict[str, Value], list[str]]:
    """The values as the container hands them to XGBoost (aliases resolved), and the problems found."""
    given = {ALIASES.get(name, name): text for name, text in hyperparameters.items()}
    problems = [
        f"Missing required hyperparameter: {name}" for name, row in HYPERPARAMETERS.items() if row.required and name not in given
    ]
    values: dict[str, Value] = {}
    for name, text in given.items():
        row = HYPERPARAMETERS.get(name)
        if row is None:
            problems.append(f"Extraneous hyperparameter found: {name}")
            continue
        try:
            values[name] = row.parse(text)
        except (ValueError, SyntaxError) as error:
            problems.append(f"Hyperparameter {name}: could not parse value (caused by {type(error).__name__})")
    for name in list(values):
        refused = _outside_range(name, values[name])
        if refused:
            problems.append(refused)
            del values[name]
    return values, problems + _disagreements(values, given)


def _outside_range(name: str, value: Value) -> str | None:
    allowed = HYPERPARAMETERS[name].allowed
    if name == "eval_metric":
        return _eval_metric_problem(value)
    if not isinstance(value, tuple | list):
        return None if value in allowed else f"Hyperparameter {name}: {value} is not in {allowed}"
    items = [item for group in value for item in (group if isinstance(group, list) else [group])]
    return None if all(item in allowed for item in items) else f"Hyperparameter {name}: value {value} not in range {allowed}"


def _eval_metric_problem(metrics: Value) -> str | None:
    if not isinstance(metrics, list):
        return None
    for metric in metrics:
        text = str(metric)
        name, at, threshold = (part.strip() for part in text.partition("@"))
        if at and name not in _THRESHOLD_METRICS:
            return (
                f"Metric '{text}' is not supported. Parameter 'eval_metric' with customized threshold should "
                "be one of these options: 'error', 'ndcg', 'map'."
            )
        if at and not _is_float(threshold):
            return f"Threshold value 't' in '{name}@t' expects float input."
        if not at and text not in METRICS:
            return f"Hyperparameter eval_metric: value {metrics} not in range {list(METRICS)}"
    return None


def _is_float(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _disagreements(values: Mapping[str, Value], given: Mapping[str, str]) -> list[str]:
    """Problems of values that do not go together."""
    problems = []
    objective = given.get("objective")
    if objective in ("multi:softmax", "multi:softprob") and "num_class" not in given:
        problems.append("Require input for parameter 'num_class' for multi-classification")
    problems += _metric_disagreements(values.get("eval_metric"), objective)
    tree_method = given.get("tree_method")
    if "monotone_constraints" in values and tree_method not in ("exact", "hist"):
        problems.append(
            "monotone_constraints can be used only when the tree_method parameter is set to either 'exact' or 'hist'."
        )
    if "interaction_constraints" in values and tree_method not in ("exact", "hist", "approx"):
        problems.append(
            "interaction_constraints can be used only when the tree_method parameter is set to "
            "either 'exact', 'hist' or 'approx'."
        )
    updaters = values.get("updater")
    if isinstance(updaters, list):
        problems += _updater_disagreements([str(name) for name in updaters], given)
    return problems


def _metric_disagreements(metrics: Value | None, objective: str | None) -> list[str]:
    if not isinstance(metrics, list):
        return []
    if objective is None:
        # The container looks the objective up without asking whether it is there: a bare KeyError.
        return ["eval_metric needs objective: the container fails with KeyError: 'objective' without it"]
    problems = []
    if "auc" in metrics and not objective.startswith(("binary:", "rank:")):
        problems.append("Metric 'auc' can only be applied for classification and ranking problems.")
    if "aft-nloglik" in metrics and objective != "survival:aft":
        problems.append("Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.")
    return problems


def _updater_disagreements(updaters: list[str], given: Mapping[str, str]) -> list[str]:
    if given.get("booster") == "gblinear":
        if len(updaters) == 1 and updaters[0] in _LINEAR_UPDATERS:
            return []
        return ["Linear updater should be one of these options: 'shotgun', 'coord_descent'."]
    if given.get("process_type") == "update":
        if all(name in ("refresh", "prune") for name in updaters):
            return []
        return ["process_type 'update' can only be used with updater 'refresh' and 'prune'"]
    if not all(name in _TREE_UPDATERS for name in updaters):
        options = ", ".join(f"'{name}'" for name in _TREE_UPDATERS)
        return [f"Tree updater should be selected from these options: {options}, 'shortgun', 'coord_descent'."]
    if sum(name in _TREE_BUILDERS for name in updaters) > 1:
        return [
            "Only one tree grow plugin can be selected. Choose one from the following: 'grow_colmaker', 'distcol', "
            "'grow_histmaker', 'grow_skmaker'"
        ]
    return []
