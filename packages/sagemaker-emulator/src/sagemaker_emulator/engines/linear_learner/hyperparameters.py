"""The hyperparameters of ``linear-learner:1``. Source: SageMaker developer guide, "Linear learner hyperparameters"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sagemaker_emulator.engines.first_party import hyperparameters
from sagemaker_emulator.engines.first_party.hyperparameters import Table, Value, Values, choice, flag, number, whole

_LOSSES = {
    "binary_classifier": ("auto", "logistic", "hinge_loss"),
    "multiclass_classifier": ("auto", "softmax_loss"),
    "regressor": (
        *("auto", "squared_loss", "absolute_loss", "eps_insensitive_squared_loss", "eps_insensitive_absolute_loss"),
        *("quantile_loss", "huber_loss"),
    ),
}
_AUTO = ("auto",)

TABLE: Table = {
    "predictor_type": choice(*_LOSSES, required=True),
    "num_classes": whole(1, 1_000_000, default=1),
    "feature_dim": whole(default="auto", auto=True),
    "mini_batch_size": whole(default=1000),
    "epochs": whole(default=15),
    "loss": choice(*dict.fromkeys(loss for losses in _LOSSES.values() for loss in losses), default="auto"),
    "optimizer": choice("auto", "adam", "sgd", "rmsprop", default="auto"),
    "learning_rate": number(0, ends="()", words=_AUTO, default="auto"),
    "wd": number(0, words=_AUTO, default="auto"),
    "l1": number(0, words=_AUTO, default="auto"),
    "beta_1": number(0, 1, ends="[)", words=_AUTO, default="auto"),
    "beta_2": number(0, 1, ends="[)", words=_AUTO, default="auto"),
    "momentum": number(0, 1, ends="[)", words=_AUTO, default="auto"),
    "use_bias": flag(default="true"),
    "bias_lr_mult": number(0, ends="()", words=_AUTO, default="auto"),
    "bias_wd_mult": number(0, words=_AUTO, default="auto"),
    "normalize_data": flag(default="true", auto=True),
    "normalize_label": flag(default="auto", auto=True),
    "unbias_data": flag(default="auto", auto=True),
    "unbias_label": flag(default="auto", auto=True),
    "num_models": whole(default="auto", auto=True),
    "num_calibration_samples": whole(default=10_000_000, auto=True),
    "num_point_for_scaler": whole(default=10_000),
    "binary_classifier_model_selection_criteria": choice(
        *("accuracy", "f1", "f_beta", "precision_at_target_recall", "recall_at_target_precision", "cross_entropy_loss"),
        "loss_function",
        default="accuracy",
    ),
    "target_recall": number(0, 1, ends="()", default=0.8),
    "target_precision": number(0, 1, ends="()", default=0.8),
    "f_beta": number(0, ends="()", default=1.0),
    "positive_example_weight_mult": number(0, ends="()", words=("balanced", "auto"), default=1.0),
    "balance_multiclass_weights": flag(default="false"),
    "accuracy_top_k": whole(default=3),
    "early_stopping_patience": whole(default=3),
    "early_stopping_tolerance": number(0, ends="()", default=0.001),
    "use_lr_scheduler": flag(default="true"),
    "lr_scheduler_step": whole(default="auto", auto=True),
    "lr_scheduler_factor": number(0, 1, ends="()", words=_AUTO, default="auto"),
    "lr_scheduler_minimum_lr": number(0, ends="()", words=_AUTO, default="auto"),
    "quantile": number(0, 1, ends="()", default=0.5),
    "huber_delta": number(0, default=1.0),
    "loss_insensitivity": number(0, ends="()", default=0.01),
    "margin": number(0, ends="()", default=1.0),
    "init_method": choice("uniform", "normal", default="uniform"),
    "init_scale": number(0, ends="()", default=0.07),
    "init_sigma": number(0, ends="()", default=0.01),
    "init_bias": number(default=0.0),
}


def read(strings: Mapping[str, str]) -> dict[str, Value]:
    """The values that a job trains with; raises CustomerError."""
    return hyperparameters.read(TABLE, strings, _disagreements)


def _disagreements(values: Values) -> Iterator[str]:
    predictor_type, loss = str(values["predictor_type"]), str(values["loss"])
    if predictor_type == "multiclass_classifier" and values["num_classes"] in (1, 2):
        yield "num_classes must be from 3 to 1,000,000 with the predictor_type multiclass_classifier"
    if loss not in _LOSSES[predictor_type]:
        yield f"loss {loss} does not go with the predictor_type {predictor_type}; use one of {', '.join(_LOSSES[predictor_type])}"
