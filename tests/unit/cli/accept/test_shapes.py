"""What a report shows of answers and texts: how they look, not what they say."""

from __future__ import annotations

from typing import Any

import pytest

from sageline_cli.accept.shapes import masked, shape_of, shape_of_body


def test_the_shape_of_an_answer_has_its_keys_and_no_values() -> None:
    answer = {"predictions": [{"label": "ec2", "probability": 0.9}, {"label": "s3", "probability": 1}], "warnings": [], "x": None}

    assert shape_of(answer) == {
        "predictions": {"list of": {"label": "text", "probability": "number"}, "length": 2},
        "warnings": {"list of": "nothing", "length": 0},
        "x": "null",
    }
    assert shape_of(True) == "boolean"


@pytest.mark.parametrize(
    ("body", "content_type", "shape"),
    [
        (b"0.1,0.9\n0.5,0.5\n", "text/csv; charset=utf-8", {"lines": 2, "fields": [2], "final line break": True}),
        (b"0.1,0.9\n0.5", "text/csv", {"lines": 2, "fields": [1, 2], "final line break": False}),
        (
            b'{"predictions": [{"score": 0.5}]}',
            "application/json",
            {"predictions": {"list of": {"score": "number"}, "length": 1}},
        ),
        (b"<html>", "application/json", {"bytes": 6, "is not": "application/json"}),
        (b"\x00\x01", "application/x-recordio-protobuf", {"bytes": 2}),
    ],
)
def test_the_shape_of_a_containers_answer_follows_its_content_type(body: bytes, content_type: str, shape: object) -> None:
    assert shape_of_body(body, content_type) == shape


def test_what_tells_whose_account_it_is_is_masked_wherever_it_stands() -> None:
    document: dict[str, Any] = {
        "arn": "arn:aws:states:us-east-1:111122223333:execution:x",
        "list": ["key AKIAIOSFODNN7EXAMPLE", {"https://abcdefghij.execute-api.eu-west-1.amazonaws.com": 1}],
        "bucket": "s3://the-bucket/runs/x",
        "image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0",
        "run_id": "acc1-text-20261128223632-577f3f",
        "seconds": 1.5,
    }

    assert masked(document, ["the-bucket"]) == {
        "arn": "arn:aws:states:us-east-1:***:execution:x",
        "list": ["key ***", {"https://***.execute-api.eu-west-1.amazonaws.com": 1}],
        "bucket": "s3://***/runs/x",
        "image": document["image"],
        "run_id": document["run_id"],
        "seconds": 1.5,
    }
