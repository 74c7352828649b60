"""Inputs and outputs of the states of the state machine: small JSON, with data only as S3 URIs."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict, final

from sageline.spec.training import Preset

SplitType: TypeAlias = Literal["None", "Line", "RecordIO"]
AssembleWith: TypeAlias = Literal["None", "Line"]


class Configured(TypedDict):
    """Answer of ConfigureRun. A run without a deployment has no endpoint.

    ``kind``: whether the run trains one algorithm, or several (``auto``), scores a batch with a model that is there, or changes
    what an endpoint serves.
    ``then``: what it does with the model that it trains; a ``candidate`` only has it answer.
    ``candidates``: the ids of the runs that train the algorithms of ``auto``.
    ``sharded``: the dataset is prepared in shards.
    ``batch_sharded``: the batch is scored in shards.
    """

    run_id: str
    endpoint_name: str | None
    kind: Literal["training", "auto", "batch", "change"]
    then: Literal["deploy", "batch", "nothing", "candidate"]
    candidates: NotRequired[list[str]]
    sharded: NotRequired[bool]
    batch_sharded: NotRequired[bool]


class AskedOfAuto(TypedDict):
    """What a spec has asked of ``auto``: ``details.auto`` of its run's record. The stored spec of a run that has chosen names the
    chosen algorithm, and cannot say it."""

    preset: Preset
    budget_minutes: float | None


class Channel(TypedDict):
    """An input of the training job: the S3 prefix of its parts, its rows, its size in bytes."""

    uri: str
    rows: int
    bytes: int


class TransformPlan(TypedDict):
    """What RunTransform is asked for: which model scores the objects below one prefix, into which other, in which formats."""

    model_name: str
    input_uri: str
    output_uri: str
    content_type: str
    accept: str
    split_type: SplitType
    assemble_with: AssembleWith
    instance_type: str
    instance_count: int


class PlannedPreparation(TypedDict):
    """How a run's dataset is prepared, or its batch scored: ``details.preparation`` of its record, and ``details.batch.plan``.

    ``workers``: how many functions work on it at once; one does it alone.
    ``shards``, ``shard_bytes``: about how many shards there are, and of how many bytes; null for one function alone.
    ``file_bytes``: for how many bytes each file counts besides its own; 0 for one function alone.
    ``growth``: for how many bytes of text a byte of the dataset counts.
    ``reason``: why, in a sentence.
    ``minutes``, ``usd``: about how long it takes, and what Lambda, Step Functions and S3 cost for it; ``most_usd``: at most.
    ``most_workers``: how many functions may work at once on what is large, such as the test rows; not there in a run that an
    earlier version has planned.
    """

    workers: int
    most_workers: NotRequired[int]
    shards: int | None
    shard_bytes: int | None
    file_bytes: int
    growth: float
    reason: str
    minutes: float
    usd: float
    most_usd: float


class PlannedShards(TypedDict):
    """Answer of PlanShards: how many shards there are and how many functions may work on them at once; whether a ``scan`` must
    find where their ranges begin; which read first, from ``begin`` to before ``end``, and in how many ``groups`` these are merged
    before MergeFit."""

    shards: int
    workers: int
    scan: bool
    begin: int
    end: int
    groups: int


EvaluationWork: TypeAlias = Literal["decision", "validation", "evaluation", "encoding", "champion"]
"""What many functions do of an evaluation: read the answers for validation rows to make a decision by, or to score a candidate;
score the new model's answers for the test rows; encode these for the model in service; score what that answers."""


class ShardedEvaluation(TypedDict):
    """Answer of EvaluateModel and CompareModels where many functions are to do some ``work`` first: in how many ``shards``, and
    how many functions at once. ``rows``: that all shards have together."""

    status: Literal["Running"]
    decision: Literal["shards"]
    reason: str
    metrics: dict[str, float | None]
    rows: int
    work: EvaluationWork
    shards: int
    workers: int


class PlannedBatchShards(TypedDict):
    """Answer of EncodeBatch for the shards of a batch: how many there are and how many functions may work on them at once, and
    whether a ``scan`` must find where their ranges begin."""

    shards: int
    workers: int
    scan: bool


class ShardDone(TypedDict):
    """Answer of ScanShard, FitShard, EncodeShard and EvaluateShard, and of what works on a shard of a batch: next to nothing,
    since a Map has a limit for all answers together."""

    shard: int


class GroupMerged(TypedDict):
    """Answer of MergeFit for a group of shards."""

    group: int


class MergedFit(TypedDict):
    """Answer of MergeFit: whether the shards from ``begin`` to before ``end`` are to read ``again``, in which round, and in how
    many ``groups`` they are merged first; if not, all are to be encoded."""

    again: bool
    round: int
    begin: int
    end: int
    groups: int


class PreparedData(TypedDict):
    """Answer of PrepareData; ``num_class`` is null for a regression.

    ``content_type`` is that of the channels, null where their files say themselves what they hold (npy);
    ``request_content_type`` that of the requests to the endpoint. ``evaluation`` is what the transform job of the test rows is
    asked for, once there is a model.
    """

    channels: dict[str, Channel]
    content_type: str | None
    request_content_type: str
    num_class: int | None
    feature_dim: int
    test_rows: int
    evaluation: TransformPlan


ResourceKind: TypeAlias = Literal["training-job", "hyper-parameter-tuning-job", "transform-job", "endpoint"]
"""As the resource's ARN says it."""


class Resource(TypedDict):
    """What a run waits for. ``variant`` is there for an endpoint: the variant that is being deployed."""

    kind: ResourceKind
    name: str
    arn: str
    variant: NotRequired[str]


class DeployedEndpoint(Resource):
    """Answer of DeployEndpoint.

    ``model_version`` is the run that trained the variant.
    ``served_before``: it was put back and not made by this run, so its held-out rows may have expired.
    """

    model_version: str
    served_before: bool


class Shifted(TypedDict):
    """Answer of ShiftTraffic: the share of the traffic that the variant has now, and how long to watch its alarms.

    ``is_last``: the variant has all the traffic, and the endpoint is removing the old variants; the state waits for the end of
    that.
    """

    endpoint: str
    arn: str
    variant: str
    share: float
    bake_seconds: int
    is_last: bool


class ConfigureEvent(TypedDict):
    """What ConfigureRun gets; the trigger is whatever the execution was started with."""

    execution_arn: str
    trigger: dict[str, Any]


class RunEvent(TypedDict):
    """What the states of a run get."""

    run_id: str


class PrepareEvent(RunEvent):
    """What PrepareData gets; with ``sharded``, the shards of the dataset are encoded already."""

    sharded: NotRequired[bool]


class PlanShardsEvent(RunEvent):
    """What PlanShards gets: cut the dataset, or settle where the ranges begin, when these are scanned."""

    action: Literal["plan", "settle"]


class ShardEvent(RunEvent):
    """What EncodeShard gets."""

    shard: int


class ScanShardEvent(ShardEvent):
    """What ScanShard gets; with the ``folder`` ``batch/``, the shard is one of the rows that are to be scored."""

    folder: NotRequired[Literal["batch/"]]


class EncodeBatchEvent(RunEvent):
    """What EncodeBatch gets: nothing more where it encodes a batch alone. Else ``plan`` cuts it into shards, ``settle`` says
    where their ranges begin, when these are scanned, ``encode`` encodes one of them, and ``merge`` puts together what was
    encoded."""

    action: NotRequired[Literal["plan", "settle", "encode", "merge"]]
    shard: NotRequired[int]


class WritePredictionsEvent(RunEvent):
    """What WritePredictions gets: with a ``shard``, its predictions are written; with ``sharded``, those of all are joined."""

    shard: NotRequired[int]
    sharded: NotRequired[bool]


class EvaluateShardEvent(ShardEvent):
    """What EvaluateShard gets."""

    work: EvaluationWork


class FitShardEvent(ShardEvent):
    """What FitShard gets."""

    round: int


class MergeFitEvent(RunEvent):
    """What MergeFit gets; with a ``group``, its shards are merged, and nothing else."""

    round: int
    group: NotRequired[int]


class StartTrainingEvent(RunEvent):
    """What StartTraining gets: the answer of PrepareData."""

    prepared: PreparedData


class CreateModelEvent(RunEvent):
    """What CreateModel gets: the ``model.tar.gz`` that CheckTraining has found."""

    model_artifact_uri: str


class DeployEvent(RunEvent):
    """What DeployEndpoint gets; the content type is what the model takes."""

    action: Literal["deploy"]
    content_type: str


class ShiftEvent(RunEvent):
    """What ShiftTraffic gets: the number of the step, from 0."""

    action: Literal["shift"]
    step: int


class RestoreEvent(RunEvent):
    """What RestoreModels gets."""

    action: Literal["restore"]


class PromoteEvent(RunEvent):
    """What PromoteVariant gets."""

    action: Literal["promote"]


class DiscardEvent(RunEvent):
    """What DiscardDeployment gets."""

    action: Literal["discard"]


@final
class HttpEvent(TypedDict):
    """What the HTTP API sends (payload format 2.0), as far as it is looked at."""

    pathParameters: dict[str, str]


class ExpireEvent(TypedDict):
    """What an endpoint's schedule sends when its time to live is over."""

    action: Literal["expire"]
    endpoint: str
    expires_at: str


@final
class FailureEvent(TypedDict):
    """What RecordFailure gets. ``trigger`` is the execution's input; ``discard_error`` is there when undoing failed too."""

    execution_arn: str
    trigger: dict[str, Any]  # whatever the execution was started with
    state: str
    error: str
    cause: str
    discard_error: NotRequired[str]


@final
class ExecutionEndedEvent(TypedDict):
    """EventBridge's "Step Functions Execution Status Change", as far as it is looked at."""

    detail: dict[str, Any]  # executionArn, status, input, error, cause


@final
class WaitEvent(RunEvent):
    """What CheckTraining and CheckEndpoint get."""

    resource: Resource
    task_token: str


@final
class BakeEvent(RunEvent):
    """What Bake gets: the answer of ShiftTraffic."""

    shifted: Shifted
    task_token: str


@final
class AlarmEvent(TypedDict):
    """What a topic sends, as far as it is looked at."""

    Records: list[AlarmRecord]


class AlarmRecord(TypedDict):
    Sns: AlarmMessage


class AlarmMessage(TypedDict):
    Message: str


ChangedEvent = TypedDict("ChangedEvent", {"detail-type": str, "detail": dict[str, Any]})
"""EventBridge's word of a job or an endpoint that has changed, as far as it is looked at."""


class WaitOutcome(TypedDict):
    """Answer to an event that is about a waiting state, in words: nobody but a person reads it."""

    outcome: str


class TuningCounters(TypedDict):
    """How many training jobs of a tuning job ended how."""

    completed: int
    stopped: int
    failed: int


class TuningSummary(TypedDict):
    """What a tuning job came to: its name, its best training job, how many it ran, how they ended."""

    name: str
    best: str
    jobs: int
    counters: TuningCounters


class TrainingResult(TypedDict):
    """Answer of CheckTraining; seconds are null where SageMaker does not say. With ``tuning``, it tells of the best job."""

    status: Literal["Completed"]
    training_job_name: str
    model_artifact_uri: str
    training_seconds: int | None
    billable_seconds: int | None
    metrics: dict[str, float]
    tuning: NotRequired[TuningSummary]


class TransformResult(TypedDict):
    """Answer of RunTransform: below ``output_uri`` there is ``<input>.out`` for each input; seconds since it was created."""

    status: Literal["Completed"]
    transform_job_name: str
    output_uri: str
    transform_seconds: int | None


class EndpointResult(TypedDict):
    """Answer of CheckEndpoint."""

    status: Literal["InService"]


class RestoredModels(TypedDict):
    """Answer of RestoreModels: the models that were gone."""

    restored: list[str]


class CreatedModel(TypedDict):
    """Answer of CreateModel: the isolated model, which a run always has."""

    model_name: str
    model_arn: str


class Promoted(TypedDict):
    """Answer of PromoteVariant."""

    endpoint_name: str
    variant: str
    status: Literal["Succeeded"]


class Discarded(TypedDict):
    """Answer of DiscardDeployment: what was removed, as ``endpoint/<name>``, ``endpoint-config/<name>``, ``model/<name>``."""

    discarded: list[str]


class Deleted(TypedDict):
    """Answer to ``DELETE /endpoints/{name}``: what was removed, named as in :class:`Discarded`; empty when nothing was there."""

    endpoint: str
    deleted: list[str]


class ExecutionEnded(TypedDict):
    """Answer to an event of an execution that ended: how its run ended. Empty and None if no run was to be told."""

    run_id: str
    status: str | None


class FailureRecorded(TypedDict):
    """Answer of RecordFailure; ``message`` becomes the execution's cause. ``run_id`` is empty if the input names no run."""

    run_id: str
    message: str
