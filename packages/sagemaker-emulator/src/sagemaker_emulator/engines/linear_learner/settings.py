"""The hyperparameters of a job, with what ``auto`` stands for."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from sagemaker_emulator.engines.first_party.hyperparameters import TUNING_OBJECTIVE

BINARY, MULTICLASS, REGRESSOR = "binary_classifier", "multiclass_classifier", "regressor"
_DEFAULT_LOSS = {BINARY: "logistic", MULTICLASS: "softmax_loss", REGRESSOR: "squared_loss"}
# The models that are trained side by side, the one that mostly does best first.
_LEARNING_RATES = {"adam": (0.05, 0.2, 0.01), "rmsprop": (0.05, 0.2, 0.005), "sgd": (0.1, 0.5, 0.02)}
_DECAYS = (1e-3, 1e-4, 1e-2)
_FEWEST_BATCHES, _SMALLEST_BATCH = 50, 8


@dataclass(frozen=True)
class Settings:
    """A job's hyperparameters by their names in SageMaker; a tuple holds one value for each model."""

    predictor_type: str
    num_classes: int
    feature_dim: int | None
    loss: str
    epochs: int
    mini_batch_size: int | None
    optimizer: str
    learning_rate: tuple[float, ...]
    wd: tuple[float, ...]
    l1: float
    beta_1: float
    beta_2: float
    momentum: float
    use_bias: bool
    bias_lr_mult: float
    bias_wd_mult: float
    normalize_data: bool
    normalize_label: bool
    unbias_data: bool | None
    unbias_label: bool
    num_calibration_samples: int
    num_point_for_scaler: int
    criteria: str
    target_recall: float
    target_precision: float
    f_beta: float
    positive_example_weight_mult: float | None
    balance_multiclass_weights: bool
    accuracy_top_k: int
    early_stopping_patience: int
    early_stopping_tolerance: float
    use_lr_scheduler: bool
    lr_scheduler_step: int | None
    lr_scheduler_factor: float | None
    lr_scheduler_minimum_lr: float
    quantile: float
    huber_delta: float
    loss_insensitivity: float
    margin: float
    init_method: str
    init_scale: float
    init_sigma: float
    init_bias: float

    @property
    def outputs(self) -> int:
        """How many numbers a model computes of a row."""
        return self.num_classes if self.predictor_type == MULTICLASS else 1

    @property
    def models(self) -> int:
        return len(self.learning_rate)

    def batch_size(self, rows: int) -> int:
        """The wanted size; if none is wanted, 1000, or less on a small train channel, which would not give enough steps."""
        if self.mini_batch_size is not None:
            return self.mini_batch_size
        return max(_SMALLEST_BATCH, min(1000, rows // _FEWEST_BATCHES))


class _Values:
    """Validated hyperparameters, as numbers or as the strings of the request."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in values.items()}

    def text(self, name: str, default: str) -> str:
        return self._values.get(name, default)

    def number(self, name: str, default: float) -> float:
        found = self.optional(name)
        return default if found is None else found

    def optional(self, name: str) -> float | None:
        """None when it is ``auto``, or not given."""
        text = self._values.get(name, "auto")
        return None if text == "auto" else float(text)

    def whole(self, name: str) -> int | None:
        found = self.optional(name)
        return None if found is None else int(found)

    def flag(self, name: str, *, default: bool) -> bool:
        text = self._values.get(name, "auto").lower()
        return default if text == "auto" else text in ("true", "1")


def read_settings(strings: Mapping[str, str], values: Mapping[str, object]) -> Settings:
    """The settings of a job's hyperparameters.

    ``strings`` are as they were given, ``values`` have passed the check and have SageMaker's defaults for what was not given.
    """
    given = _Values(values)
    predictor_type = given.text("predictor_type", "")
    loss = given.text("loss", "auto")
    loss = _DEFAULT_LOSS[predictor_type] if loss == "auto" else loss
    optimizer = given.text("optimizer", "auto")
    optimizer = "adam" if optimizer == "auto" else optimizer
    learning_rate, wd = _models(given, optimizer, is_tuned=TUNING_OBJECTIVE in strings)
    normalize_label = given.flag("normalize_label", default=predictor_type == REGRESSOR)
    weight = given.text("positive_example_weight_mult", "1.0")
    use_bias = given.flag("use_bias", default=True)
    return Settings(
        predictor_type=predictor_type,
        num_classes=given.whole("num_classes") or 1,
        feature_dim=given.whole("feature_dim"),
        loss=loss,
        epochs=int(given.number("epochs", 15)),
        mini_batch_size=given.whole("mini_batch_size") if "mini_batch_size" in strings else None,
        optimizer=optimizer,
        learning_rate=learning_rate,
        wd=wd,
        l1=given.number("l1", 0.0),
        beta_1=given.number("beta_1", 0.9),
        beta_2=given.number("beta_2", 0.999),
        momentum=given.number("momentum", 0.9),
        use_bias=use_bias,
        bias_lr_mult=given.number("bias_lr_mult", 1.0),
        bias_wd_mult=given.number("bias_wd_mult", 0.0),
        normalize_data=given.flag("normalize_data", default=True),
        normalize_label=normalize_label and predictor_type == REGRESSOR,
        unbias_data=given.flag("unbias_data", default=True) if given.text("unbias_data", "auto") != "auto" else None,
        unbias_label=given.flag("unbias_label", default=normalize_label and use_bias) and predictor_type == REGRESSOR,
        num_calibration_samples=int(given.number("num_calibration_samples", 10_000_000)),
        num_point_for_scaler=int(given.number("num_point_for_scaler", 10_000)),
        criteria=given.text("binary_classifier_model_selection_criteria", "accuracy"),
        target_recall=given.number("target_recall", 0.8),
        target_precision=given.number("target_precision", 0.8),
        f_beta=given.number("f_beta", 1.0),
        positive_example_weight_mult=None if weight in ("balanced", "auto") else float(weight),
        balance_multiclass_weights=given.flag("balance_multiclass_weights", default=False),
        accuracy_top_k=int(given.number("accuracy_top_k", 3)),
        early_stopping_patience=int(given.number("early_stopping_patience", 3)),
        early_stopping_tolerance=given.number("early_stopping_tolerance", 0.001),
        use_lr_scheduler=given.flag("use_lr_scheduler", default=True),
        lr_scheduler_step=given.whole("lr_scheduler_step"),
        lr_scheduler_factor=given.optional("lr_scheduler_factor"),
        lr_scheduler_minimum_lr=given.number("lr_scheduler_minimum_lr", 1e-5),
        quantile=given.number("quantile", 0.5),
        huber_delta=given.number("huber_delta", 1.0),
        loss_insensitivity=given.number("loss_insensitivity", 0.01),
        margin=given.number("margin", 1.0),
        init_method=given.text("init_method", "uniform"),
        init_scale=given.number("init_scale", 0.07),
        init_sigma=given.number("init_sigma", 0.01),
        init_bias=given.number("init_bias", 0.0),
    )


def _models(given: _Values, optimizer: str, *, is_tuned: bool) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Learning rate and weight decay of each model; a tuning job trains one model, as in SageMaker."""
    rates, decays = given.optional("learning_rate"), given.optional("wd")
    grid = itertools.product(_DECAYS if decays is None else (decays,), _LEARNING_RATES[optimizer] if rates is None else (rates,))
    wanted = 1 if is_tuned else given.whole("num_models")
    models = list(grid)[:wanted]
    return tuple(rate for _, rate in models), tuple(decay for decay, _ in models)
