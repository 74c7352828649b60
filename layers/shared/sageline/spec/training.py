"""The parts of the spec that say how to train: algorithm, script and tuning."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, field_validator, model_validator

from sageline.spec.section import BaseSpec, InstanceType

AUTO = "auto"
"""Several algorithms side by side; validation rows choose."""

AlgorithmName: TypeAlias = Literal["auto", "xgboost", "linear-learner", "knn", "blazingtext", "tensorflow", "script"]

Preset: TypeAlias = Literal["quick", "good", "best"]
DEFAULT_PRESET: Preset = "quick"

InputMode: TypeAlias = Literal["File", "FastFile"]

Framework: TypeAlias = Literal["tensorflow", "scikit-learn", "pytorch"]


class ScriptSpec(BaseSpec):
    """A training script of your own, in a framework's container."""

    framework: Framework | None = Field(
        None, description="Whose container runs the script. Default: `tensorflow` for the algorithm `tensorflow`."
    )
    source_dir: str = Field(
        pattern=r"^s3://[^/]+/.+\.tar\.gz$",
        description="The script and what it imports, as a tar.gz with the files at its root. It is below `datasets/` of the "
        "stack's bucket.",
    )
    entry_point: str = Field(
        "train.py", pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*\.(py|sh)$", description="The file of `source_dir` to run."
    )
    channel_format: Literal["npy", "csv"] = Field(
        "npy",
        description="What the script finds in its channels: pairs of `part-00000-x.npy` (float32) and `part-00000-y.npy` (int64 "
        "class numbers, float32 for a regression), or CSV without a header, the label first. With "
        "`dataset.weight` also `part-00000-w.npy` (float32), or the weight behind the label.",
    )
    metrics: dict[str, str] = Field(
        default_factory=dict,
        max_length=40,
        description="What the script prints about its progress: metric name to a regular expression with one group, the value, "
        "found anywhere in a line. RE2's syntax: no looking around, no references to groups; at most 500 characters.",
    )

    network: bool = Field(
        False,
        description="Whether the script's container may use the network, in training and in serving; then it has credentials, "
        "too. The stack must allow it (`AllowScriptNetwork`). Without it a `requirements.txt` cannot be installed: put the "
        "packages into the folder.",
    )

    @model_validator(mode="after")
    def _one_group_each(self) -> Self:
        if not self.metrics:
            return self
        from sageline.spec.metric_pattern import MetricPattern, NoMetricPattern  # noqa: PLC0415 - RE2 takes 10 ms to be imported

        for name, expression in self.metrics.items():
            try:
                groups = MetricPattern(expression).groups
            except NoMetricPattern as error:
                raise ValueError(f"the expression of the metric {name!r}, {expression!r}, {error}") from None
            if groups != 1:
                raise ValueError(
                    f"the expression of the metric {name!r}, {expression!r}, has {groups} groups; give it one, around the value"
                )
        return self


class AlgorithmSpec(BaseSpec):
    name: AlgorithmName = Field(
        "auto",
        description="`auto` trains several algorithms side by side, and validation rows choose the model. Or one of SageMaker's "
        "own algorithms; `tensorflow` for Sageline's neural networks (or your script for TensorFlow); `script` for your own "
        "script.",
    )
    preset: Preset | None = Field(
        None,
        description="How much `auto` tries. `quick`, its default: two or three training jobs with settings that are known to be "
        "good. `good`: a tuning job for each algorithm, about 12 trials in all. `best`: about 50 trials.",
    )
    hyperparameters: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="Passed to the algorithm; what is left out gets a default from the task and the data."
    )
    class_weight: Literal["balanced"] | dict[str, float] | None = Field(
        None,
        description="How much the rows of each class count in training, with xgboost and linear-learner: `balanced`, or label to "
        "weight, above 0 (a label that is not named has 1). `balanced` is scikit-learn's: rows / (classes x rows of the class). "
        "Default: all rows alike.",
    )
    script: ScriptSpec | None = None
    instance_type: InstanceType = "ml.m5.xlarge"
    instance_count: int = Field(
        1,
        ge=1,
        le=20,
        description="xgboost, linear-learner and knn share the train rows, and there are no more instances than parts of these. "
        "A script gets all rows on each instance. blazingtext takes one.",
    )
    input_mode: InputMode | None = Field(
        None,
        description="How the train rows get to the container: `File` copies them first, `FastFile` streams them, which xgboost "
        "and blazingtext do not take. Default: `FastFile` for linear-learner and knn from 50 GB on.",
    )
    spot: bool = Field(
        False,
        description="Managed spot training: cheaper, may wait for capacity, may be interrupted. Then `tensorflow`, and a script "
        "that keeps checkpoints, go on from them, but for the trials of a tuning. The other algorithms, XGBoost too, begin "
        "again, so they may wait and run for 3,600 s at most.",
    )
    max_runtime_seconds: int = Field(3600, ge=60, le=2_419_200, description="The job is stopped, and the run fails, after this.")

    @field_validator("class_weight", mode="before")
    @classmethod
    def _balanced_or_by_label(cls, given: object) -> object:
        weights = list(given.values()) if isinstance(given, dict) else [given in (None, "balanced")]
        if not all(isinstance(weight, int | float) and 0 < weight < math.inf for weight in weights):
            raise ValueError('expected "balanced", or label to weight, a number above 0: {"fraud": 10}')
        return given

    @model_validator(mode="after")
    def _auto_chooses(self) -> Self:
        if self.name != AUTO and self.preset is not None:
            raise ValueError(
                f'`preset` is "{self.preset}", which says how much auto tries, and the algorithm is {self.name}; leave one of '
                "them out"
            )
        if self.name == AUTO and self.hyperparameters:
            raise ValueError(
                f"`hyperparameters` gives {next(iter(self.hyperparameters))!r}, which is one algorithm's, and the algorithm is "
                'auto, which trains several; name the one that you mean, such as "name": "xgboost"'
            )
        return self

    @model_validator(mode="after")
    def _streams_what_can_be_streamed(self) -> Self:
        if self.input_mode == "FastFile" and self.name in (AUTO, "xgboost", "blazingtext"):
            which = "auto, which trains xgboost too" if self.name == AUTO else self.name
            raise ValueError(
                f'`input_mode` is "FastFile", and the algorithm is {which}; xgboost and blazingtext take their channels as files '
                "only: leave it out"
            )
        return self

    @model_validator(mode="after")
    def _script_where_it_belongs(self) -> Self:
        if self.name == "script":
            if self.script is None:
                raise ValueError("the algorithm script needs `algorithm.script`, with the `source_dir` and the `framework`")
            if self.script.framework is None:
                raise ValueError(
                    'the algorithm script needs `algorithm.script.framework`: "tensorflow", "scikit-learn" or "pytorch"'
                )
        elif self.script is not None:
            if self.name != "tensorflow":
                raise ValueError(f'the algorithm {self.name} takes no `script`; for a script of your own say "name": "script"')
            if self.script.framework not in (None, "tensorflow"):
                raise ValueError(
                    f'the algorithm tensorflow runs no script for {self.script.framework}; say "name": "script" for that'
                )
        return self


class IntegerRangeSpec(BaseSpec):
    type: Literal["integer"]
    min: int
    max: int
    scaling: Literal["Auto", "Linear", "Logarithmic"] = Field("Auto", description="Logarithmic needs `min` above 0.")


class ContinuousRangeSpec(BaseSpec):
    type: Literal["continuous"]
    min: float = Field(allow_inf_nan=False)
    max: float = Field(allow_inf_nan=False)
    scaling: Literal["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"] = Field(
        "Auto", description="Logarithmic needs `min` above 0, ReverseLogarithmic values from 0 to below 1."
    )


class CategoricalRangeSpec(BaseSpec):
    type: Literal["categorical"]
    values: list[str | int | float | bool] = Field(min_length=1, max_length=30)


RangeSpec: TypeAlias = Annotated[IntegerRangeSpec | ContinuousRangeSpec | CategoricalRangeSpec, Field(discriminator="type")]


class ObjectiveSpec(BaseSpec):
    """What the trials are compared by."""

    metric: str = Field(min_length=1, max_length=255)
    type: Literal["Minimize", "Maximize"] | None = Field(
        None, description="Default: what is better for the metric; a metric of your own script needs it."
    )


class HyperbandSpec(BaseSpec):
    """Fewest and most iterations (epochs, rounds) that a trial may get."""

    min_resource: int = Field(1, ge=1, le=20_000)
    max_resource: int = Field(27, ge=1, le=20_000)

    @model_validator(mode="after")
    def _some_room(self) -> Self:
        if self.min_resource >= self.max_resource:
            raise ValueError(f"min_resource ({self.min_resource}) must be less than max_resource ({self.max_resource})")
        return self


class TuningSpec(BaseSpec):
    """Several training jobs instead of one; the best one's model goes on."""

    strategy: Literal["Bayesian", "Random", "Grid", "Hyperband"] = Field(
        "Bayesian", description="Grid tries every combination, so all its ranges are categorical."
    )
    objective: ObjectiveSpec | None = Field(None, description="Default: the algorithm's usual metric on the validation rows.")
    ranges: dict[Annotated[str, Field(min_length=1, max_length=255)], RangeSpec] = Field(
        default_factory=dict,
        max_length=30,
        description="Hyperparameter to the values to try. Default: the algorithm's usual ones.",
    )
    max_jobs: int = Field(20, ge=1, le=10_000, description="At most 750, for Random 10,000; for Grid the number of combinations.")
    max_parallel_jobs: int = Field(3, ge=1, le=100)
    early_stopping: bool = Field(False, description="Stop trials that fall behind the others.")
    seed: int | None = Field(None, ge=0, le=2**31 - 1, description="The same seed tries the same values again.")
    hyperband: HyperbandSpec | None = None
