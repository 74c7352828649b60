"""How the machines of a training job share the train rows, and how these get there: what the written channels decide."""

from __future__ import annotations

from sageline.formats.exchange import Exchange
from sageline.spec.model import Spec
from sageline.spec.training import AlgorithmSpec

# SageMaker developer guide, "XGBoost algorithm: divide input data"; the SageMaker Python SDK deals out the rows of linear-learner
# and knn as its default (sagemaker.amazon.amazon_estimator.RecordSet).
_DEAL_OUT = ("xgboost", "linear-learner", "knn")
_STREAM = ("linear-learner", "knn")
"""Which read RecordIO from one end to the other; knn once, linear-learner in each epoch. XGBoost reads a channel into memory, and
its container refuses the mode FastFile."""

STREAMED_BYTES = 50 * 10**9
"""From this size on a train channel is streamed: to copy it first takes some ten minutes, and a volume of its size."""

_PARTS_EACH = 8
_SMALLEST_PART_BYTES = 256 << 10


def deals_out(algorithm: AlgorithmSpec) -> bool:
    """Whether each instance trains on parts of its own."""
    return algorithm.name in _DEAL_OUT and algorithm.instance_count > 1


def part_bytes(algorithm: AlgorithmSpec, dataset_bytes: int, most: int) -> int:
    """How large the parts of a channel are: ``most``, or less where instances share them, so that each gets about eight and so,
    give or take one of them, the same rows."""
    if not deals_out(algorithm):
        return most
    return min(most, max(_SMALLEST_PART_BYTES, dataset_bytes // (algorithm.instance_count * _PARTS_EACH)))


def settle_machines(spec: Spec, exchange: Exchange, *, train_parts: int, train_bytes: int) -> Spec:
    """A completed spec with as many instances as there are parts for, with the mode in which the train channel gets there, and
    with the reasons for both, and for the channels' format where that is not the requests'."""
    algorithm, reasons = spec.algorithm, dict(spec.reasons)
    chosen: dict[str, object] = {}
    if exchange.file_extension == "libsvm":
        reasons["algorithm.channels"] = (
            "libsvm: XGBoost's container reads sparse rows about seven times as fast from it as from RecordIO, in less memory"
        )
    if deals_out(algorithm):
        instances = min(algorithm.instance_count, train_parts)
        shared = f"the train rows are in {train_parts} part{'s' * (train_parts != 1)}"
        if instances < algorithm.instance_count:
            chosen["instance_count"] = instances
            reasons["algorithm.instance_count"] = (
                f"{instances} in place of {algorithm.instance_count}: {shared}, and an instance without one trains nothing; so "
                "few rows need no more machines"
            )
        else:
            reasons["algorithm.instance_count"] = f"{shared}, dealt out to {instances} instances; each has all validation rows"
    if algorithm.input_mode is None and algorithm.name in _STREAM and train_bytes >= STREAMED_BYTES:
        chosen["input_mode"] = "FastFile"
        reasons["algorithm.input_mode"] = (
            f"FastFile: {algorithm.name} reads the {train_bytes / 1e9:,.0f} GB of train rows from one end to the other, so they "
            "are streamed from S3 and not copied first; File copies them"
        )
    return spec.model_copy(update={"algorithm": algorithm.model_copy(update=chosen), "reasons": reasons})
