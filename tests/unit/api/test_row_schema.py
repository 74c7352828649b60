"""The schema of an endpoint's rows over HTTP, where something of the endpoint is gone, damaged, or of an earlier version."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jsonschema_rs import validator_for

from tests.unit.api.api_page import examples
from tests.unit.api.fakes import BUCKET, Answer, Manage
from tests.unit.encoder.test_saved_before import SAVED, TABLES, TEXTS, encoded_then
from tests.unit.serving.fakes import encoder, put_encoder

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RUN = "wines-20261120100000-0a1b2c"
FOLDER = f"runs/{RUN}/encoder/"
ROUTING = "endpoints/wines/routing.json"


@pytest.fixture
def ask(manage: Manage, s3: S3Client, put_routing: Callable[..., None]) -> Callable[[], Answer]:
    """Asks for the schema of the endpoint `wines`, which has one variant."""
    put_routing("wines", **{RUN: 1})
    put_encoder(s3, RUN, encoder())
    return lambda: manage(EVENT)


EVENT = examples()["GET /endpoints/{name}/schema"].event


@pytest.mark.parametrize("name", ["encoder.json", "encoder.npz"])
def test_an_encoder_that_was_deleted_is_missing(ask: Callable[[], Answer], s3: S3Client, name: str) -> None:
    s3.delete_object(Bucket=BUCKET, Key=FOLDER + name)

    answer = ask()

    assert (answer.status, answer.body["error"]["code"]) == (500, "ObjectMissing")
    assert answer.body["error"]["message"].startswith(f"s3://{BUCKET}/{FOLDER}: {name} of the model's encoder")
    assert "Submit the dataset again, roll the endpoint back, or bring the object back" in answer.body["error"]["message"]


@pytest.mark.parametrize("name", ["encoder.json", "encoder.npz", "decision.json"])
def test_an_encoder_that_is_damaged_is_said_to_be(ask: Callable[[], Answer], s3: S3Client, name: str) -> None:
    s3.put_object(Bucket=BUCKET, Key=FOLDER + name, Body=b"{}")

    answer = ask()

    assert (answer.status, answer.body["error"]["code"]) == (500, "InvalidEncoder")
    assert answer.body["error"]["message"].startswith(f"s3://{BUCKET}/{FOLDER}: {name} is damaged")
    assert answer.body["error"]["message"].endswith("train the model again.")


def test_a_routing_document_that_is_damaged_is_said_to_be(ask: Callable[[], Answer], s3: S3Client) -> None:
    s3.put_object(Bucket=BUCKET, Key=ROUTING, Body=b"{}")

    answer = ask()

    assert (answer.status, answer.body["error"]["code"]) == (500, "InvalidRouting")
    assert answer.body["error"]["message"].startswith(f"s3://{BUCKET}/{ROUTING}: damaged")
    assert answer.body["error"]["message"].endswith("deploy the endpoint's last run again.")


@pytest.mark.parametrize(("version", "name"), [*TEXTS, *TABLES])
def test_an_encoder_of_an_earlier_version_has_a_schema_that_takes_the_rows_of_its_time(
    ask: Callable[[], Answer], s3: S3Client, version: str, name: str
) -> None:
    for path in (SAVED / version / name).iterdir():
        s3.put_object(Bucket=BUCKET, Key=FOLDER + Path(path).name, Body=path.read_bytes())
    then = encoded_then(version)
    rows = then["images" if name == "image" else "rows" if name.startswith("table") else "texts"]

    answer = ask()

    assert answer.status == 200
    takes = validator_for(answer.body)
    assert [row for row in rows if not takes.is_valid(row)] == []
    assert takes.is_valid(answer.body["examples"][0])
    assert not takes.is_valid(7)
