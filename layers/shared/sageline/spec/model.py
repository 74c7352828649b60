"""The spec as one pydantic model. Everything may be left out; resolving it against the data fills it in.

Not imported on the prediction path: pydantic alone would double the cold start there.
"""

from __future__ import annotations

import json
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, ValidationError, field_validator, model_validator

from sageline.errors import InvalidSpec
from sageline.formats.text_encoding import check_encoding
from sageline.names import DATA_FORMAT_PATTERN
from sageline.spec.decision import DecisionSpec
from sageline.spec.deployment import DeploymentSpec
from sageline.spec.encoder import EncoderSpec, of_before
from sageline.spec.evaluation import EvaluationSpec
from sageline.spec.preparation import MOST_WORKERS, PreparationSpec
from sageline.spec.problems import describe
from sageline.spec.section import BaseSpec, InstanceType, Name
from sageline.spec.training import AUTO, AlgorithmSpec, TuningSpec

FeatureKind: TypeAlias = Literal["text", "number", "category", "date", "pixel", "image"]
"""What a column holds, which decides how it is encoded."""

GivenKind: TypeAlias = FeatureKind | Literal["ignore"]

Task: TypeAlias = Literal["classification", "regression"]

NO_VALIDATION = (
    "spec: `split.validation` is 0, and the algorithm auto chooses among models by the validation rows. Give "
    "`split.validation` a share, such as 0.1, or name an algorithm in `algorithm.name`."
)

_MOST_PROBLEMS = 50  # are described
_OF_COLUMN = "dataset.features."  # begins the keys of the reasons for what became of a column


class DatasetSpec(BaseSpec):
    uri: str | None = Field(
        None,
        pattern=r"^s3://[^/]+/.+$",
        description="S3 URI of the data, or of a folder of parts, which ends with a slash; for an upload, what was uploaded.",
    )
    label: str | None = Field(None, min_length=1, description="Column to predict. Default: sniffed (see `reasons`).")
    on_doubt: Literal["refuse", "likeliest"] = Field(
        "refuse",
        description="Where two columns are about as likely to be the label: refuse the run and name both, or take the likelier.",
    )
    features: dict[str, FeatureKind] | None = Field(
        None,
        min_length=1,
        description="Columns to learn from, and what each holds: `text`, `number`, `category`, `date`, `pixel` or `image`.",
    )
    encoding: str | None = Field(
        None,
        description="Encoding of a CSV or JSON Lines file, by Python's name for it: `cp1251`, `shift_jis`. Default: as its byte "
        "order mark says, else UTF-8, or Windows-1252 (`cp1252`) where it is not UTF-8 and the text is plausible.",
    )
    delimiter: Literal[",", ";", "\t", "|"] | None = Field(
        None, description="What separates the fields of a CSV file. Default: found out from what they hold."
    )
    weight: str | None = Field(
        None,
        min_length=1,
        description="Column of numbers that say how much a row counts, in training (xgboost, and scripts of your own) and in the "
        "metrics; not learnt from.",
    )
    exclude: list[Annotated[str, Field(min_length=1)]] = Field(
        default_factory=list, description="Columns not to learn from, where `features` does not list the others."
    )
    kinds: dict[str, GivenKind] = Field(
        default_factory=dict,
        description="What single columns hold, where a guess is wrong (`ignore`: do not learn from it); the others are guessed.",
    )
    decimal: Literal[".", ","] | None = Field(
        None, description="The decimal sign of the file's numbers. Default: what fits all of a column's values."
    )

    @field_validator("label", mode="before")
    @classmethod
    def _one_label(cls, label: object) -> object:
        if isinstance(label, list):
            raise ValueError(f"names {len(label)} columns, and a model learns one label; start a run for each of them")
        return label

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str | None) -> str | None:
        return None if encoding is None else check_encoding(encoding)

    @model_validator(mode="after")
    def _of_one_mind(self) -> Self:
        listed = self.features or {}
        if self.weight is not None:
            if self.weight == self.label:
                raise ValueError(f"`weight` names {self.weight!r}, which is the label; take it out of one of the two")
            if key := next((key for key, names in (("kinds", self.kinds), ("features", listed)) if self.weight in names), None):
                raise ValueError(f"`{key}` names {self.weight!r}, which is the weight of the rows; take it out of one of the two")
        for key, names in (("exclude", self.exclude), ("kinds", self.kinds)):
            if self.label in names:
                raise ValueError(f"`{key}` names {self.label!r}, which is the label; take it out of one of the two")
            if both := next((name for name in names if name in listed), None):
                raise ValueError(f"`{key}` names {both!r}, and so does `features`; take it out of one of the two")
        if self.kinds and self.features is not None:
            raise ValueError("`kinds` is for columns that are guessed, and `features` lists them all; say the kinds there")
        return self


class SplitSpec(BaseSpec):
    """Which rows train, which validate, which test."""

    by: Literal["hash", "time", "group", "given"] = Field(
        "hash",
        description="What decides: a hash of each row's content and the seed; the time in a column, so that the later rows test; "
        "a column of groups (customers, patients), none of which is on two sides; or a column, or files `train.*` and `test.*`, "
        "that say it.",
    )
    column: str | None = Field(
        None, min_length=1, description="Column of the times, of the groups, or of the words train, validation and test."
    )
    train: float = Field(0.8, gt=0, lt=1, description="Share of rows to train on.")
    validation: float = Field(0.1, ge=0, lt=1, description="Share of rows that the algorithm sees only to report metrics.")
    test: float = Field(0.1, gt=0, lt=1, description="Share of rows held out entirely: smoke test, evaluation.")
    seed: int = Field(0, ge=0, description="Another seed gives another split; of `time` it does not.")

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> Self:
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-9:
            raise ValueError(f"train, validation and test must sum to 1, they sum to {total:g}")
        return self

    @model_validator(mode="after")
    def _a_column_where_one_is_read(self) -> Self:
        if self.by == "hash" and self.column is not None:
            raise ValueError(
                f'`column` is {self.column!r}, and `"by": "hash"` reads no single column; say `"by": "time"`, `"group"` or '
                '`"given"`, or leave the column out'
            )
        if self.by in ("time", "group") and self.column is None:
            what = "the time of each row" if self.by == "time" else "what each row belongs to"
            raise ValueError(f'`"by": "{self.by}"` needs `column`, the name of the column that says {what}')
        return self


class TargetSpec(BaseSpec):
    """How the values of a regression are learnt."""

    transform: Literal["log", "none"] | None = Field(
        None,
        description="`log`: the logarithm of 1 + value is learnt, and answers are transformed back; no value may be below 0. "
        "Default: `log` with xgboost where the values have a long tail and `evaluation.metric` gains from it (see `reasons`).",
    )


class BatchSpec(BaseSpec):
    """Rows to score with the new model, without an endpoint."""

    input: str = Field(
        pattern=rf"^s3://[^/]+/.+\.({DATA_FORMAT_PATTERN})$",
        description="S3 URI of the rows, without their labels or with them.",
    )
    instance_type: InstanceType = "ml.m5.xlarge"
    instance_count: int = Field(1, ge=1, le=20)
    max_runtime_seconds: int = Field(
        3600, ge=60, le=2_419_200, description="The transform job is stopped, and the run fails, after this."
    )
    escape_formulas: bool = Field(
        False, description="CSV only: put an apostrophe before cells that a spreadsheet would run, such as `=1+1`."
    )
    workers: int | None = Field(
        None,
        ge=1,
        le=MOST_WORKERS,
        description="How many functions encode the rows and write the predictions at once, each of a shard of them; 1: one "
        "function does it alone. Default: as the size asks for (see `reasons` and docs/scale.md).",
    )


class Spec(BaseSpec):
    """What a run does. A resolved spec is a spec too, so it can be edited and submitted again."""

    name: Name | None = Field(None, description="Name of the dataset and its runs. Default: the upload's folder.")
    task: Task | None = Field(None, description="Default: sniffed from the label column.")
    dataset: DatasetSpec = Field(default_factory=DatasetSpec)
    target: TargetSpec = Field(default_factory=TargetSpec)
    split: SplitSpec = Field(default_factory=SplitSpec)
    preparation: PreparationSpec = Field(default_factory=PreparationSpec)
    encoder: EncoderSpec | None = Field(None, description="Default: tokens for BlazingText, image for pixels, else columns.")
    algorithm: AlgorithmSpec = Field(default_factory=AlgorithmSpec)
    tuning: TuningSpec | None = Field(None, description="Default: none, one training job.")
    evaluation: EvaluationSpec = Field(default_factory=EvaluationSpec)
    decision: DecisionSpec | None = Field(None, description="Default: both `auto`, where a classifier answers probabilities.")
    batch: BatchSpec | None = Field(None, description='Default: none. Goes with `"deployment": null`.')
    deployment: DeploymentSpec | None = Field(
        default_factory=DeploymentSpec, description="`null` makes the model and no endpoint. Default: a serverless endpoint."
    )
    budget_usd: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="A run that could cost more is refused before anything is started (docs/costs.md). Default: no limit.",
    )
    budget_minutes: float | None = Field(
        None,
        ge=1,
        allow_inf_nan=False,
        description="For how long the training jobs of `auto` may run in all; trials are left out, or end earlier, so that they "
        "do not take longer. Default: as long as `algorithm.max_runtime_seconds` says, each.",
    )
    reasons: dict[str, str] = Field(
        default_factory=dict, description="Written by Sageline: for each value it chose, why. Ignored when submitted."
    )

    @field_validator("encoder", mode="before")
    @classmethod
    def _encoder_of_before(cls, encoder: object) -> object:
        return of_before(encoder)

    @property
    def left_out(self) -> list[str]:
        """The columns of the dataset that a resolved spec does not use, such as ids; ``reasons`` has them all."""
        of_columns = [key.removeprefix(_OF_COLUMN) for key in self.reasons if key.startswith(_OF_COLUMN)]
        return [name for name in of_columns if name not in (self.dataset.features or {})]

    @property
    def weighs_rows(self) -> bool:
        """Whether the training channels say how much each row counts: by a column, or because XGBoost is told the weight of a
        class as that of its rows."""
        return self.dataset.weight is not None or (self.algorithm.class_weight is not None and self.algorithm.name == "xgboost")

    @model_validator(mode="after")
    def _one_algorithm_to_tune(self) -> Self:
        name = self.algorithm.name
        if name == AUTO and self.tuning is not None:
            key = "tuning.early_stopping" if self.tuning.early_stopping else "tuning"
            raise ValueError(
                f"`{key}` is for one algorithm, and `algorithm.name` is auto, which trains several; name the one to tune, such "
                'as "xgboost", or say `algorithm.preset`: "good" and "best" tune each of them'
            )
        if name != AUTO and self.budget_minutes is not None:
            raise ValueError(
                f"`budget_minutes` is for the algorithm auto, which then tries less, and the algorithm is {name}; say "
                "`algorithm.max_runtime_seconds`"
            )
        return self

    @model_validator(mode="after")
    def _a_champion_to_beat(self) -> Self:
        if self.evaluation.beat_champion and self.deployment is None:
            raise ValueError(
                '`evaluation.beat_champion` compares with the model that the endpoint serves, and with `"deployment": null` '
                "there is no endpoint; take one of the two out"
            )
        return self

    @model_validator(mode="after")
    def _a_batch_without_an_endpoint(self) -> Self:
        if self.batch is not None and self.deployment is not None:
            raise ValueError(
                '`batch` scores rows without an endpoint, so it goes with `"deployment": null`; '
                "for the rows of an endpoint's model use `sageline batch` or POST /endpoints/{name}/batch"
            )
        return self


def check_choice(spec: Spec) -> None:
    """Refuse ``auto`` without validation rows, as far as the spec alone tells: a column may say which rows validate.

    Raises:
        InvalidSpec: there will be none.
    """
    split = spec.split
    if spec.algorithm.name == AUTO and not split.validation and (split.by != "given" or split.column is None):
        raise InvalidSpec(NO_VALIDATION)


def parse_spec(document: str | bytes, source: str) -> Spec:
    """The spec in a JSON document; ``source`` (a file, a URI, "request body") is named in every error.

    Raises:
        InvalidSpec: not JSON (with line and column), unknown key (with the nearest known one), wrong type or value.
    """
    try:
        value = json.loads(document)
    except UnicodeDecodeError as error:
        raise InvalidSpec(f"{source}: not UTF-8 text: byte 0x{error.object[error.start]:02x} at offset {error.start}.") from None
    except json.JSONDecodeError as error:
        raise InvalidSpec(f"{source}: not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    return validate_spec(value, source)


def validate_spec(value: object, source: str) -> Spec:
    """Like :func:`parse_spec`, for a document that is already parsed."""
    if not isinstance(value, dict):
        raise InvalidSpec(f"{source}: a spec is a JSON object, this is a JSON {_json_type(value)}.")
    try:
        return Spec.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False)
        # A value that fits no member of a union is reported once per member.
        problems = list(dict.fromkeys(describe(problem, Spec) for problem in found[:_MOST_PROBLEMS]))
        if len(found) > _MOST_PROBLEMS:
            problems.append(f"There are {len(found) - _MOST_PROBLEMS:,} problems more.")
        raise InvalidSpec(f"{source}: " + " ".join(problems)) from None


def _json_type(value: object) -> str:
    names: dict[type, str] = {list: "array", str: "string", bool: "boolean", int: "number", float: "number", type(None): "null"}
    return names.get(type(value), type(value).__name__)
