"""What a person has in a notebook: a SageMaker session, a role, a bucket, and a small table of houses.

Everything comes from the variables that ``sageline local env`` exports; nothing of boto3 or the SageMaker SDK is changed.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from tests.workflow.sdk import Session

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

ROLE = "NotebookRole"
BUCKET = "notebook-bucket"
PREFIX = "boston"
# The SDK tells its makers how it is used, over the network, unless it is told not to.
_QUIET = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}
_TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
_MAY = {"Effect": "Allow", "Action": "s3:*", "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]}


@dataclass(frozen=True)
class Notebook:
    """A session as root, and where the data is: without a header, the price first in train and validation."""

    boto: boto3.Session
    session: Any  # sagemaker.Session, which has no type hints
    role: str
    train: str
    validation: str
    test: str
    prices: list[float]
    """Of the rows of ``test``."""
    rows: list[list[float]]
    """Area and rooms of the rows of ``test``."""

    @cached_property
    def s3(self) -> S3Client:
        return self.boto.client("s3")

    @cached_property
    def sagemaker(self) -> SageMakerClient:
        return self.boto.client("sagemaker")

    def read(self, uri: str) -> str:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()

    def error(self, answers: list[float]) -> float:
        """The mean error of answers to the rows of ``test``, as a share of the mean price."""
        assert len(answers) == len(self.prices)
        wrong = sum(abs(answer - price) for answer, price in zip(answers, self.prices, strict=True))
        return wrong / sum(self.prices)


def open_notebook() -> Notebook:
    """With the stack's variables in the environment: make role and bucket, upload the data."""
    boto = boto3.Session()
    session = Session(boto, default_bucket=BUCKET, sagemaker_config=_QUIET)
    assert session.default_bucket() == BUCKET
    table = _houses(300)
    files = {
        "train": _csv(table[:200]),
        "validation": _csv(table[200:250]),
        "test": _csv([row[1:] for row in table[250:]]),
    }
    uris = {name: session.upload_string_as_file_body(text, BUCKET, f"{PREFIX}/{name}.csv") for name, text in files.items()}
    return Notebook(
        boto=boto,
        session=session,
        role=_role(boto),
        prices=[row[0] for row in table[250:]],
        rows=[row[1:] for row in table[250:]],
        **uris,
    )


def _role(boto: boto3.Session) -> str:
    iam = boto.client("iam")
    try:
        iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps({"Statement": [_TRUST]}))
    except ClientError as error:
        if error.response["Error"]["Code"] != "EntityAlreadyExists":
            raise
    policy = json.dumps({"Version": "2012-10-17", "Statement": [_MAY]})
    iam.put_role_policy(RoleName=ROLE, PolicyName="data", PolicyDocument=policy)
    return iam.get_role(RoleName=ROLE)["Role"]["Arn"]


def _houses(rows: int) -> list[list[float]]:
    """Price in thousands, area, rooms: the price follows from the others, nearly."""
    draw = random.Random(0)
    table = []
    for _ in range(rows):
        area, rooms = round(draw.uniform(40, 200), 1), draw.randint(1, 6)
        table.append([round(area + 5 * rooms + draw.gauss(0, 2), 2), area, float(rooms)])
    return table


def _csv(rows: list[list[float]]) -> str:
    return "".join(",".join(map(str, row)) + "\n" for row in rows)
