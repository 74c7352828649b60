"""SageMaker's Python SDK 3, unpatched, against MiniStack and the emulator, which the variables name (``make test-sdk3``)."""

from __future__ import annotations

import io
import json
import random
import tarfile
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

BUCKET = "notebook"
ROLE = "NotebookRole"


@dataclass(frozen=True)
class Workplace:
    """What a person has who works with the SDK. Any: it has no type hints that hold."""

    session: Any
    role: str
    train: str
    """A table without a header: ``3 * area - 2 * rooms + 1`` comes first."""

    def uploaded(self, prefix: str) -> list[str]:
        found: list[str] = self.session.list_s3_files(BUCKET, prefix)
        return found

    def archived(self, key: str, name: str) -> Any:
        """A JSON file of an archive."""
        body = boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(body)) as archive:
            return json.load(archive.extractfile(name) or io.BytesIO())

    def read(self, key: str) -> str:
        text: str = self.session.read_s3_file(BUCKET, key)
        return text


@pytest.fixture(scope="session")
def workplace() -> Workplace:
    from tests.sdk3.sdk import Session, SessionSettings  # noqa: PLC0415  # only where the SDK 3 is

    # MiniStack encrypts by KMS only with a key that it is given, and the SDK gives none to a model that it packs anew.
    session = Session(settings=SessionSettings(encrypt_repacked_artifacts=False))
    assert session.default_bucket() == BUCKET
    uri = session.upload_string_as_file_body(_table(200), BUCKET, "train/train.csv")
    return Workplace(session, _role(), uri.rpartition("/")[0])


def _role() -> str:
    """A role that may do all that the SDK checks before it starts anything."""
    iam = boto3.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_role_policy(RoleName=ROLE, PolicyName="all", PolicyDocument=json.dumps(everything))
    return role["Role"]["Arn"]


def _table(rows: int) -> str:
    draw = random.Random(0)
    table = [(draw.uniform(40, 200), draw.randint(1, 6)) for _ in range(rows)]
    return "".join(f"{3 * area - 2 * rooms + 1},{area},{rooms}\n" for area, rooms in table)
