"""Does a freshly deployed variant answer held-out rows sensibly? The state machine's last check before it gets traffic."""

from __future__ import annotations

import itertools
import json
import math
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict

from sageline.errors import (
    EndpointNotReady,
    EndpointWarming,
    ObjectMissing,
    PredictionFailed,
    SagelineError,
    SmokeTestFailed,
    TooManyRequests,
)
from sageline.names import RunLayout
from sageline.serving.answer import PredictionResponse
from sageline.serving.predict import Predictor

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ROWS = 10
ATTEMPTS = 4
SECONDS_BETWEEN_ATTEMPTS = 2.0
PATIENCE_SECONDS = 240.0
"""A serverless endpoint has 3 minutes to load a model, and a model 60 s to answer.
https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html"""

_NAME_EVERY_CLASS = ("xgboost", "linear-learner", "tensorflow")
_ROUNDING = 1e-3  # BlazingText answers 1.00001
_SUM_ROUNDING = 0.01

_TRANSIENT = (EndpointNotReady, EndpointWarming, PredictionFailed, TooManyRequests)


class SmokeTestEvent(TypedDict):
    """What SmokeTest gets, of the run that trained the variant. ``served_before``: it has been tested when it was new."""

    action: Literal["smoke-test"]
    run_id: str
    endpoint_name: str
    variant: str
    served_before: NotRequired[bool]


def smoke_test(
    event: SmokeTestEvent,
    *,
    predictor: Predictor,
    s3: S3Client,
    bucket: str,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, object]:
    """Predict some of a run's held-out rows with its variant and check the answers.

    Returns ``{"rows", "variant"}``.

    Raises:
        SmokeTestFailed: no rows, no answer, or an answer that makes no sense; the message says which.
    """
    run_id, endpoint, variant_name = event["run_id"], event["endpoint_name"], event["variant"]
    try:
        rows = read_held_out_rows(s3, RunLayout(bucket, run_id), ROWS)
    except SmokeTestFailed:
        if not event.get("served_before"):
            raise
        # Intermediate data of a run expires. The model was tested when it was new, and has served.
        return {"rows": 0, "variant": variant_name}
    try:
        variant = predictor.routing(endpoint).variant(variant_name)
        if variant is None:
            raise SmokeTestFailed(f"Endpoint {endpoint} does not route to variant {variant_name}, which was to be tested.")
        encoder = predictor.encoder(variant)
        classes = encoder.classes
        top_k = 1 if classes is None else len(classes)
        answers = _patiently(lambda: predictor.ask(endpoint, variant, [row["features"] for row in rows], top_k), sleep, clock)
    except SmokeTestFailed:
        raise
    except SagelineError as error:
        raise SmokeTestFailed(
            f"Variant {variant_name} of endpoint {endpoint} did not answer {len(rows)} held-out rows: {error.message}"
        ) from error
    for number, answer in enumerate(answers.predictions, start=1):
        problem = problem_of(answer, classes, every_class=encoder.answers in _NAME_EVERY_CLASS)
        if problem is not None:
            raise SmokeTestFailed(
                f"Variant {variant_name} of endpoint {endpoint} answered held-out row {number} of {len(rows)} wrongly: {problem}."
            )
    return {"rows": len(rows), "variant": answers.variant}


def read_held_out_rows(s3: S3Client, layout: RunLayout, count: int) -> list[dict[str, Any]]:
    """The first ``count`` raw test rows of a run, each ``{"features": {column: value}, "label": value}``.

    Raises:
        ObjectMissing: the rows are not there any more.
    """
    rows: list[dict[str, Any]] = []
    listing = s3.list_objects_v2(Bucket=layout.bucket, Prefix=layout.test_raw_prefix)
    for item in listing.get("Contents", []):
        body = s3.get_object(Bucket=layout.bucket, Key=item["Key"])["Body"]
        with body:
            rows += [json.loads(line) for line in itertools.islice(body.iter_lines(), count - len(rows))]
        if len(rows) == count:
            break
    if not rows:
        raise ObjectMissing(
            f"{layout.uri(layout.test_raw_prefix)} holds no test rows, so the model cannot be tried out: the run had stored "
            "them, and they were deleted since."
        )
    return rows


def _patiently(
    ask: Callable[[], PredictionResponse], sleep: Callable[[float], None], clock: Callable[[], float]
) -> PredictionResponse:
    """A variant that has just become InService may still start, throttle or fail at first, so ask again: one that fails a few
    times, one that starts for as long as SageMaker lets it."""
    deadline, failures = clock() + PATIENCE_SECONDS, 0
    while True:
        try:
            return ask()
        except _TRANSIENT as error:
            failures += isinstance(error, PredictionFailed)
            if failures == ATTEMPTS or clock() >= deadline:
                raise
        sleep(SECONDS_BETWEEN_ATTEMPTS)


def problem_of(answer: Mapping[str, Any], classes: list[str] | None, *, every_class: bool = True) -> str | None:
    """What is wrong with one answer, None when nothing is.

    Args:
        classes: what the model was trained on; None for a regression, whose answer is a number.
        every_class: the answer must name all of them. k-NN names those of the neighbours, and a script may name the label alone,
            without a probability.
    """
    if classes is None:
        return None if math.isfinite(answer["value"]) else f"the value is {answer['value']}"
    probabilities = [item["probability"] for item in answer["top"]]
    labels = sorted(item["label"] for item in answer["top"])
    known = set(probabilities) != {None}
    if len(set(labels)) < len(labels) or not set(labels) <= set(classes) or (every_class and known and labels != sorted(classes)):
        return f"it names the labels {labels}, and was trained on {sorted(classes)}"
    if not known:
        return None
    if not all(math.isfinite(probability) and 0 <= probability <= 1 + _ROUNDING for probability in probabilities):
        return f"the probabilities are {probabilities}"
    if abs(sum(probabilities) - 1) > _SUM_ROUNDING:
        return f"the probabilities sum to {sum(probabilities):.4f}, not to 1"
    return None
