"""The documents of runs in the bucket (``sageline.names`` has the keys)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sageline.aws.errors import is_missing_object
from sageline.errors import ObjectMissing
from sageline.names import PRICES_KEY, RunLayout, dataset_spec_key
from sageline.runs.prices import LIST_PRICES, Prices, with_override
from sageline.spec.model import Spec, parse_spec, validate_spec

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class RunFiles:
    """Reads and writes them."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self.s3 = s3
        self.bucket = bucket

    def layout(self, run_id: str) -> RunLayout:
        return RunLayout(self.bucket, run_id)

    def read_spec(self, run_id: str) -> Spec:
        """The run's resolved spec.

        Raises:
            ObjectMissing: it is not there any more.
        """
        layout = self.layout(run_id)
        return parse_spec(self.read(layout.spec_key), layout.uri(layout.spec_key))

    def find_spec(self, run_id: str) -> Spec | None:
        """The same; None when it is not there any more."""
        layout = self.layout(run_id)
        found = self._read(layout.spec_key)
        return None if found is None else parse_spec(found, layout.uri(layout.spec_key))

    def write_spec(self, run_id: str, spec: Spec) -> None:
        document = spec.model_dump_json(indent=2).encode() + b"\n"
        self.put(self.layout(run_id).spec_key, document, "application/json")

    def write_given_spec(self, run_id: str, spec: Spec) -> None:
        """Keep what the run was asked for, so that it can be resolved again when every row has been seen."""
        document = spec.model_dump_json(indent=2, exclude_unset=True).encode() + b"\n"
        self.put(self.layout(run_id).given_spec_key, document, "application/json")

    def find_given_spec(self, run_id: str, algorithm: str) -> Spec | None:
        """The spec that the run was given; None for a run that began before these were kept.

        Args:
            algorithm: the run's, for a spec that names none: it was given to a version whose default was xgboost.
        """
        layout = self.layout(run_id)
        given = self.read_json(layout.given_spec_key)
        if given is None:
            return None
        named = {**given, "algorithm": {"name": algorithm, **given.get("algorithm", {})}}
        return validate_spec(named, layout.uri(layout.given_spec_key))

    def read_dataset_spec(self, name: str) -> Spec:
        """The spec beside an uploaded dataset, or an empty one.

        Raises:
            InvalidSpec: it is not JSON, or has unknown keys or wrong values.
        """
        key = dataset_spec_key(name)
        found = self._read(key)
        return Spec() if found is None else parse_spec(found, f"s3://{self.bucket}/{key}")

    def read_json(self, key: str) -> Any:  # Any: JSON
        """A JSON document; None when it is not there."""
        found = self._read(key)
        return None if found is None else json.loads(found)

    def read_prices(self) -> Prices:
        """The list prices, replaced by the stack's own where it has any.

        Raises:
            InvalidPrices: they are not what they must be.
        """
        found = self._read(PRICES_KEY)
        return LIST_PRICES if found is None else with_override(found, self.prices_uri)

    @property
    def prices_uri(self) -> str:
        return f"s3://{self.bucket}/{PRICES_KEY}"

    def read(self, key: str) -> bytes:
        """An object that a run has stored.

        Raises:
            ObjectMissing: it is not there any more.
        """
        found = self._read(key)
        if found is None:
            raise ObjectMissing(f"s3://{self.bucket}/{key} is gone: the run had stored it, and it was deleted since.")
        return found

    def put(self, key: str, body: bytes, content_type: str) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=content_type)

    def _read(self, key: str) -> bytes | None:
        """An object; None when it is not there. Needs s3:ListBucket: without it S3 answers 403 for what is not there."""
        try:
            return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            if is_missing_object(error):
                return None
            raise
