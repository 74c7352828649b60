"""Does a new variant answer held-out rows sensibly?"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from sageline.errors import ObjectMissing, SmokeTestFailed
from sageline.names import RunLayout
from sageline.serving.predict import Predictor
from sageline.serving.smoke_test import ATTEMPTS, ROWS, SmokeTestEvent, problem_of, read_held_out_rows, smoke_test
from tests.unit.serving.fakes import BUCKET, CLASSES, NEW, OLD, SageMaker, encoder, put_encoder, put_routing, variant

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

EVENT: SmokeTestEvent = {"action": "smoke-test", "run_id": NEW, "endpoint_name": "wines", "variant": NEW}
ENCODED = b"13.5,1,0\n"


def put_rows(s3: S3Client, *counts: int) -> None:
    """One part for each count, with that many rows."""
    row = json.dumps({"features": {"alcohol": "13.5", "colour": "red"}, "label": "merlot"})
    for number, count in enumerate(counts):
        key = f"{RunLayout(BUCKET, NEW).test_raw_prefix}part-{number:05d}.jsonl"
        s3.put_object(Bucket=BUCKET, Key=key, Body=f"{row}\n".encode() * count)


@pytest.fixture
def deployed(s3: S3Client) -> None:
    """The new variant is deployed beside the old one, which has all the traffic."""
    put_routing(s3, variant(OLD, 1), variant(NEW, 0))
    put_encoder(s3, NEW, encoder())


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def run(s3: S3Client, predictor: Predictor, waits: list[float]) -> Callable[[], dict[str, object]]:
    return lambda: smoke_test(EVENT, predictor=predictor, s3=s3, bucket=BUCKET, sleep=waits.append)


@pytest.mark.usefixtures("deployed")
def test_the_new_variant_is_asked_though_it_has_no_traffic(
    s3: S3Client, sagemaker: SageMaker, run: Callable[[], dict[str, object]]
) -> None:
    put_rows(s3, 2)
    sagemaker.answers(NEW, ENCODED * 2, b"0.7,0.2,0.1\n" * 2, named=True)
    assert run() == {"rows": 2, "variant": NEW}


@pytest.mark.usefixtures("deployed")
def test_a_handful_of_rows_is_enough(s3: S3Client, sagemaker: SageMaker, run: Callable[[], dict[str, object]]) -> None:
    put_rows(s3, 4, 0, 400, 400)
    sagemaker.answers(NEW, ENCODED * ROWS, b"0.7,0.2,0.1\n" * ROWS, named=True)
    assert run()["rows"] == ROWS


def test_a_regression_answers_numbers(s3: S3Client, sagemaker: SageMaker, run: Callable[[], dict[str, object]]) -> None:
    put_routing(s3, variant(NEW, 1))
    put_encoder(s3, NEW, encoder(classes=None))
    put_rows(s3, 1)
    sagemaker.answers(NEW, ENCODED, b"41.5\n")
    assert run()["rows"] == 1


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize("code", ["ModelError", "ServiceUnavailable", "ThrottlingException"])
def test_a_variant_that_has_just_started_gets_another_chance(
    s3: S3Client, sagemaker: SageMaker, run: Callable[[], dict[str, object]], waits: list[float], code: str
) -> None:
    put_rows(s3, 1)
    sagemaker.refuses(NEW, ENCODED, code, named=True)
    sagemaker.answers(NEW, ENCODED, b"0.7,0.2,0.1\n", named=True)
    assert run()["variant"] == NEW
    assert len(waits) == 1


@pytest.mark.usefixtures("deployed")
def test_a_variant_that_never_answers_fails_with_the_reason(
    s3: S3Client, sagemaker: SageMaker, run: Callable[[], dict[str, object]], waits: list[float]
) -> None:
    put_rows(s3, 3)
    for _ in range(ATTEMPTS):
        sagemaker.refuses(NEW, ENCODED * 3, "ModelError", named=True)
    with pytest.raises(SmokeTestFailed, match=f"Variant {NEW} .* did not answer 3 held-out rows: The model .* failed"):
        run()
    assert len(waits) == ATTEMPTS - 1


@pytest.mark.usefixtures("deployed")
def test_a_variant_that_is_not_there_fails_with_the_reason(
    s3: S3Client, sagemaker: SageMaker, run: Callable[[], dict[str, object]]
) -> None:
    put_rows(s3, 1)
    sagemaker.refuses(NEW, ENCODED, "ValidationError", named=True)
    with pytest.raises(SmokeTestFailed, match="not in SageMaker any more"):
        run()


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"0.7,0.2,0.3\n", "row 1 of 1 wrongly: the probabilities sum to 1.2000"),
        (b"0,0,0\n", "sum to 0.0000"),
        (b"0.7,0.3\n", "2 values per row"),
        (b"nan,nan,nan\n", "not a finite number"),
        (b"7,-5,-1\n", "outside 0 to 1"),
    ],
)
def test_an_answer_that_makes_no_sense_fails_with_what_is_wrong(
    s3: S3Client, sagemaker: SageMaker, run: Callable[[], dict[str, object]], answer: bytes, problem: str
) -> None:
    put_rows(s3, 1)
    for _ in range(ATTEMPTS if "sum" not in problem else 1):
        sagemaker.answers(NEW, ENCODED, answer, named=True)
    with pytest.raises(SmokeTestFailed, match=problem):
        run()


def top(**probabilities: float) -> dict[str, object]:
    return {"top": [{"label": label, "probability": probability} for label, probability in probabilities.items()]}


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (top(merlot=0.5, pinot=0.3, riesling=0.2), None),
        (top(merlot=0.5, pinot=0.3, shiraz=0.2), "it names the labels"),
        (top(merlot=0.5, pinot=0.5), "it names the labels"),
        (top(merlot=float("nan"), pinot=0.5, riesling=0.5), "the probabilities are"),
        (top(merlot=1.5, pinot=-0.5, riesling=0), "the probabilities are"),
        (top(merlot=0.5, pinot=0.5, riesling=0.5), "sum to 1.5000"),
    ],
)
def test_an_answer_must_name_every_class_with_probabilities_that_sum_to_one(
    answer: dict[str, object], problem: str | None
) -> None:
    found = problem_of(answer, CLASSES)
    assert (found is None) if problem is None else problem in str(found)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (top(merlot=0.75, riesling=0.25), None),
        (top(merlot=1.00001), None),
        (top(merlot=0.75), "sum to 0.7500"),
        (top(shiraz=1.0), "it names the labels"),
        ({"top": [{"label": "merlot", "probability": None}]}, None),
        ({"top": [{"label": label, "probability": None} for label in ("merlot", "merlot")]}, "it names the labels"),
        ({"top": [{"label": "shiraz", "probability": None}]}, "it names the labels"),
    ],
)
def test_an_answer_of_neighbours_or_of_a_script_may_name_some_classes(answer: dict[str, object], problem: str | None) -> None:
    found = problem_of(answer, CLASSES, every_class=False)
    assert (found is None) if problem is None else problem in str(found)


def test_a_label_alone_is_an_answer_of_tensorflow_too() -> None:
    assert problem_of({"top": [{"label": "merlot", "probability": None}]}, CLASSES) is None


@pytest.mark.parametrize(("value", "problem"), [(41.5, None), (float("inf"), "the value is inf")])
def test_a_value_must_be_a_finite_number(value: float, problem: str | None) -> None:
    assert problem_of({"value": value}, None) == problem


def test_a_variant_without_routing_is_not_tested(s3: S3Client, run: Callable[[], dict[str, object]]) -> None:
    put_rows(s3, 1)
    put_routing(s3, variant(OLD, 1))
    with pytest.raises(SmokeTestFailed, match=f"does not route to variant {NEW}"):
        run()


@pytest.mark.usefixtures("deployed")
def test_without_held_out_rows_there_is_no_test(s3: S3Client, run: Callable[[], dict[str, object]]) -> None:
    with pytest.raises(ObjectMissing, match=f"s3://{BUCKET}/runs/{NEW}/data/test-raw/ holds no test rows"):
        run()


def test_held_out_rows_are_read_as_they_were_written(s3: S3Client) -> None:
    put_rows(s3, 1)
    assert read_held_out_rows(s3, RunLayout(BUCKET, NEW), 5) == [
        {"features": {"alcohol": "13.5", "colour": "red"}, "label": "merlot"}
    ]
