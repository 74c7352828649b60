"""A transform job's answers as predictions."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sageline.aws.errors import is_missing_object
from sageline.batch.part_rows import AnsweredParts
from sageline.encoder.decoding import Prediction
from sageline.encoder.fitted import FittedEncoder
from sageline.errors import PredictionFailed
from sageline.names import RunLayout
from sageline.runs.documents import RunFiles

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import TaggingTypeDef


class TransformAnswers:
    """The predictions, part by part. What a model answered for a part is held in memory, and no more than that.

    Attributes:
        rows: how many there are.
        before: how many rows come before the first of them.
    """

    def __init__(self, encoder: FittedEncoder, layout: RunLayout, files: RunFiles, parts: AnsweredParts) -> None:
        self._encoder = encoder
        self._layout = layout
        self._files = files
        self._parts = parts
        self.before = parts.before
        self.rows: int = sum(parts.rows)

    def __iter__(self) -> Iterator[Prediction]:
        """Raises PredictionFailed where answers are missing, cannot be read, or are not as many as rows; says of which rows."""
        return chain.from_iterable(self._part(number, rows) for number, rows in enumerate(self._parts.rows))

    def let_expire(self) -> None:
        """Tag the answers, which SageMaker has written, so that they expire."""
        tags: TaggingTypeDef = {"TagSet": [{"Key": "sageline:retention", "Value": "intermediate"}]}
        for number in range(len(self._parts.rows)):
            self._files.s3.put_object_tagging(Bucket=self._layout.bucket, Key=self._key(number), Tagging=tags)

    def _part(self, number: int, rows: int) -> list[Prediction]:
        key = self._key(number)
        try:
            body = self._files.s3.get_object(Bucket=self._layout.bucket, Key=key)["Body"].read()
        except ClientError as error:
            if is_missing_object(error):
                raise PredictionFailed(
                    f"The transform job has left no {self._layout.uri(key)}, the answers for rows {self._range(number)}."
                ) from None
            raise
        try:
            return self._encoder.decode(body, self._encoder.exchange.batch_accept, rows=rows, batch=True)
        except PredictionFailed as error:
            raise PredictionFailed(f"{self._layout.uri(key)}, rows {self._range(number)}: {error.message}") from None

    def _key(self, number: int) -> str:
        return f"{self._layout.transform_prefix}{self._parts.names[number]}.{self._encoder.exchange.batch_extension}.out"

    def _range(self, number: int) -> str:
        first = self.before + sum(self._parts.rows[:number]) + 1
        return f"{first} to {first + self._parts.rows[number] - 1}"
