"""Linear learner: the hyperparameters of the ``linear-learner:1`` container, and how Sageline uses it.

Source: SageMaker developer guide, "Linear learner hyperparameters" and "Tune a linear learner model".
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from sageline.algorithms import hyperparameters
from sageline.algorithms.facts import DataFacts, Direction, Hyperparameters, Rules
from sageline.algorithms.hyperparameters import HyperparameterTable, Interval, Parsed, Problem, choice, flag, integer, number

_POSITIVE = Interval(0, open_low=True)
_SHARE = Interval(0, 1, open_low=True, open_high=True)

_LOSSES = {
    "binary_classifier": ("auto", "logistic", "hinge_loss"),
    "multiclass_classifier": ("auto", "softmax_loss"),
    "regressor": (
        *("auto", "squared_loss", "absolute_loss", "eps_insensitive_squared_loss", "eps_insensitive_absolute_loss"),
        *("quantile_loss", "huber_loss"),
    ),
}

_ONLY_FOR = {
    "binary_classifier": (
        *("binary_classifier_model_selection_criteria", "target_recall", "target_precision", "f_beta"),
        "positive_example_weight_mult",
    ),
    "multiclass_classifier": ("balance_multiclass_weights", "accuracy_top_k"),
    "regressor": ("quantile", "huber_delta", "loss_insensitivity"),
}
"""Hyperparameters that the container does not look at with another predictor_type."""

_DATA_OF = {"binary_classifier": "two classes", "multiclass_classifier": "three or more classes", "regressor": "a regression"}

HYPERPARAMETERS: HyperparameterTable = {
    "predictor_type": choice(*_LOSSES, required=True),
    "num_classes": integer(1, 1_000_000, default=1),
    "feature_dim": integer(auto=True, default="auto"),
    "mini_batch_size": integer(default=1000),
    "epochs": integer(default=15),
    "loss": choice(*dict.fromkeys(loss for losses in _LOSSES.values() for loss in losses), default="auto"),
    "optimizer": choice("auto", "adam", "sgd", "rmsprop", default="auto"),
    "learning_rate": number(_POSITIVE, words=("auto",), default="auto"),
    "wd": number(Interval(0), words=("auto",), default="auto"),
    "l1": number(Interval(0), words=("auto",), default="auto"),
    "beta_1": number(Interval(0, 1, open_high=True), words=("auto",), default="auto"),
    "beta_2": number(Interval(0, 1, open_high=True), words=("auto",), default="auto"),
    "momentum": number(Interval(0, 1, open_high=True), words=("auto",), default="auto"),
    "use_bias": flag(default="true"),
    "bias_lr_mult": number(_POSITIVE, words=("auto",), default="auto"),
    "bias_wd_mult": number(Interval(0), words=("auto",), default="auto"),
    "normalize_data": flag(default="true", auto=True),
    "normalize_label": flag(default="auto", auto=True),
    "unbias_data": flag(default="auto", auto=True),
    "unbias_label": flag(default="auto", auto=True),
    "num_models": integer(auto=True, default="auto"),
    "num_calibration_samples": integer(auto=True, default=10_000_000),
    "num_point_for_scaler": integer(default=10_000),
    "binary_classifier_model_selection_criteria": choice(
        *("accuracy", "f1", "f_beta", "precision_at_target_recall", "recall_at_target_precision", "cross_entropy_loss"),
        "loss_function",
        default="accuracy",
    ),
    "target_recall": number(_SHARE, default=0.8),
    "target_precision": number(_SHARE, default=0.8),
    "f_beta": number(_POSITIVE, default=1.0),
    "positive_example_weight_mult": number(_POSITIVE, words=("balanced", "auto"), default=1.0),
    "balance_multiclass_weights": flag(default="false"),
    "accuracy_top_k": integer(default=3),
    "early_stopping_patience": integer(default=3),
    "early_stopping_tolerance": number(_POSITIVE, default=0.001),
    "use_lr_scheduler": flag(default="true"),
    "lr_scheduler_step": integer(auto=True, default="auto"),
    "lr_scheduler_factor": number(_SHARE, words=("auto",), default="auto"),
    "lr_scheduler_minimum_lr": number(_POSITIVE, words=("auto",), default="auto"),
    "quantile": number(_SHARE, default=0.5),
    "huber_delta": number(Interval(0), default=1.0),
    "loss_insensitivity": number(_POSITIVE, default=0.01),
    "margin": number(_POSITIVE, default=1.0),
    "init_method": choice("uniform", "normal", default="uniform"),
    "init_scale": number(_POSITIVE, default=0.07),
    "init_sigma": number(_POSITIVE, default=0.01),
    "init_bias": number(Interval(), default=0.0),
}


def parse(strings: Mapping[str, str]) -> Parsed:
    """The values that the container trains with, its defaults filled in, and everything that it refuses."""
    parsed = hyperparameters.parse(HYPERPARAMETERS, strings)
    values, problems = parsed.values, list(parsed.problems)
    predictor_type = str(values.get("predictor_type"))
    if predictor_type == "multiclass_classifier" and values.get("num_classes", 3) in (1, 2):
        text = "num_classes must be from 3 to 1,000,000 with the predictor_type multiclass_classifier"
        problems.append(Problem(text, f"{text}; it is {values['num_classes']}."))
    loss = str(values.get("loss", "auto"))
    if predictor_type in _LOSSES and loss not in _LOSSES[predictor_type]:
        text = _wrong_loss(loss, predictor_type)
        problems.append(Problem(text, f"{text}."))
    return Parsed(values, problems)


def _wrong_loss(loss: str, predictor_type: str) -> str:
    return f"loss {loss} does not go with the predictor_type {predictor_type}; use one of {', '.join(_LOSSES[predictor_type])}"


def validate(strings: Mapping[str, str]) -> list[str]:
    """The container's messages for everything that it would refuse; an empty list when it would train."""
    return parse(strings).messages


def _refused(strings: Mapping[str, str]) -> list[str]:
    return [problem.plain for problem in parse(strings).problems]


def _defaults(given: Mapping[str, str | int | float | bool], facts: DataFacts) -> Hyperparameters:
    """What the data says, and steps enough for little data.

    The container's 15 epochs of batches of 1,000 rows are 15 steps where there are 1,000 rows: too few to learn from. About a
    hundred batches an epoch and 1,500 steps in all do well from a few hundred rows on; from 100,000 rows these are the
    container's own values. Early stopping ends what has nothing more to gain.
    """
    defaults: Hyperparameters = {"predictor_type": _predictor_type(facts)}
    if given.get("predictor_type", defaults["predictor_type"]) == "multiclass_classifier":
        defaults["num_classes"] = max(3, facts.num_class or 3)
    defaults |= _class_weights(facts)
    if facts.feature_dim is not None:
        defaults["feature_dim"] = facts.feature_dim
    if facts.train_rows is not None:
        batch = min(1000, max(32, facts.train_rows // 100))
        defaults["mini_batch_size"] = batch
        defaults["epochs"] = min(100, max(15, math.ceil(1500 * batch / facts.train_rows)))
    return defaults


def _class_weights(facts: DataFacts) -> Hyperparameters:
    if facts.class_weight is None or facts.num_class is None:
        return {}
    if facts.several_classes:
        return {"balance_multiclass_weights": True}
    if facts.class_weight == "balanced":
        return {"positive_example_weight_mult": "balanced"}
    return {"positive_example_weight_mult": facts.class_weight[1] / facts.class_weight[0]}


def _class_weight_misfits(strings: Mapping[str, str], facts: DataFacts) -> list[str]:
    if isinstance(facts.class_weight, tuple) and facts.several_classes:
        return [
            f"`algorithm.class_weight` by label is for two classes, and the data has {facts.num_class}; say `balanced`, or take "
            "xgboost."
        ]
    return [
        f"{name} and `algorithm.class_weight` both weigh classes; leave one of them out."
        for name, value in _class_weights(facts).items()
        if strings.get(name, str(value)).lower() != str(value).lower()
    ]


def _predictor_type(facts: DataFacts) -> str:
    if facts.task == "regression":
        return "regressor"
    return "multiclass_classifier" if facts.several_classes else "binary_classifier"


def _possible_types(facts: DataFacts) -> tuple[str, ...]:
    """Predictor types that the data allows; two while the number of classes is not known."""
    if facts.task == "classification" and facts.num_class is None:
        return ("binary_classifier", "multiclass_classifier")
    return (_predictor_type(facts),)


def _misfits(strings: Mapping[str, str], facts: DataFacts) -> list[str]:
    problems = []
    predictor_type = strings.get("predictor_type")
    possible = _possible_types(facts)
    data = f"{facts.num_class} classes" if facts.num_class is not None else f"a {facts.task}"
    if predictor_type is not None and predictor_type not in possible:
        problems.append(f"predictor_type {predictor_type} does not fit {data}; leave it out.")
    for needed, names in _ONLY_FOR.items():
        if needed not in possible:
            problems += [
                f"{name} is for {_DATA_OF[needed]} and does not fit {data}; leave it out." for name in names if name in strings
            ]
    problems += _class_weight_misfits(strings, facts)
    loss = strings.get("loss", "auto")
    if not any(loss in _LOSSES[one] for one in possible):
        problems.append(f"{_wrong_loss(loss, possible[0])}.")
    if "num_classes" in strings and facts.num_class is not None and strings["num_classes"] != str(facts.num_class):
        problems.append(f"num_classes is {strings['num_classes']}, the data has {facts.num_class} classes; leave it out.")
    if strings.get("feature_dim", "auto") not in ("auto", str(facts.feature_dim or strings.get("feature_dim"))):
        problems.append(f"feature_dim is {strings['feature_dim']}, the data has {facts.feature_dim} columns; leave it out.")
    if strings.get("loss") == "hinge_loss":
        problems.append("loss hinge_loss gives no probabilities, which a prediction answers with; use logistic.")
    return problems


_CLASSIFICATION = ("objective_loss", "macro_f_beta", "macro_precision", "macro_recall", "multiclass_top_k_accuracy", "dcg")


def _metrics(strings: Mapping[str, str], facts: DataFacts) -> dict[str, Direction]:
    binary = {
        name: _maximize(name)
        for name in ("binary_classification_accuracy", "binary_f_beta", "precision", "recall", "roc_auc_score", "objective_loss")
    }
    multiclass = {name: _maximize(name) for name in ("multiclass_accuracy", *_CLASSIFICATION)}
    if facts.task == "regression":
        names = {name: _maximize(name) for name in ("rmse", "mse", "absolute_loss", "objective_loss")}
    elif facts.num_class is None:
        names = binary | multiclass
    else:
        names = multiclass if facts.several_classes else binary
    return {f"validation:{name}": direction for name, direction in names.items()}


def _maximize(name: str) -> Direction:
    return "Minimize" if name.endswith(("loss", "mse")) else "Maximize"


RULES = Rules(
    table=HYPERPARAMETERS,
    refused=_refused,
    defaults=_defaults,
    misfits=_misfits,
    metrics=_metrics,
    from_data=frozenset({"predictor_type", "num_classes", "feature_dim"}),
    ranges={
        "learning_rate": {"type": "continuous", "min": 1e-4, "max": 1.0, "scaling": "Logarithmic"},
        "wd": {"type": "continuous", "min": 1e-7, "max": 1.0, "scaling": "Logarithmic"},
        "l1": {"type": "continuous", "min": 1e-7, "max": 1.0, "scaling": "Logarithmic"},
    },
    iterations="epochs",
    aliases={},
)
