"""What rows an endpoint takes, read from where its model's run has left it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from sageline.api.columns import describe_columns
from tests.unit.encoder.encoders import table_encoder
from tests.unit.serving.fakes import BUCKET, NEW, put_encoder, variant

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

EXAMPLE = {"age": 1.5, "colour": "rötlich", "income": None}


def put_example(s3: S3Client) -> None:
    body = json.dumps(EXAMPLE, ensure_ascii=False).encode()
    s3.put_object(Bucket=BUCKET, Key=f"runs/{NEW}/encoder/example.json", Body=body)


def test_columns_come_from_the_encoder_and_the_example_from_beside_it(s3: S3Client) -> None:
    put_encoder(s3, NEW, table_encoder(["cheap", "dear"]))
    put_example(s3)

    described = describe_columns(s3, variant(NEW, 1))

    assert described["columns"] == [
        {"name": "age", "kind": "number", "required": False},
        {"name": "colour", "kind": "category", "required": False, "values": ["red", "3.0", "True"], "different_values": 3},
        {"name": "income", "kind": "number", "required": False},
    ]
    assert described["label"] == {"name": "price", "classes": 2, "labels": ["cheap", "dear"]}
    assert described["example"] == EXAMPLE


def test_a_model_from_before_there_were_examples_has_columns_and_no_example(s3: S3Client) -> None:
    put_encoder(s3, NEW, table_encoder())

    described = describe_columns(s3, variant(NEW, 1))

    assert described["column_count"] == 3
    assert described["example"] is None


@pytest.mark.parametrize("damaged", [True, False])
def test_an_endpoint_whose_encoder_is_gone_or_damaged_is_shown_all_the_same(s3: S3Client, *, damaged: bool) -> None:
    if damaged:
        put_encoder(s3, NEW, table_encoder())
        s3.put_object(Bucket=BUCKET, Key=f"runs/{NEW}/encoder/encoder.npz", Body=b"x")
    put_example(s3)

    assert describe_columns(s3, variant(NEW, 1)) == dict.fromkeys(("columns", "column_count", "image_shape", "label", "example"))
