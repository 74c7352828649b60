"""Routing documents in the bucket: the one place that reads and writes them. On the prediction path, so without pydantic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sageline.aws.errors import code, is_missing_object
from sageline.errors import ConcurrentModification, EndpointNotFound, InvalidRouting
from sageline.names import is_endpoint_name, routing_key
from sageline.runs.routing import RoutedVariant, Routing, parse_routing

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class StoredRouting:
    """A routing document as it was read. The ETag says which state of it was read."""

    routing: Routing | None
    """None when it is damaged."""
    etag: str
    problem: InvalidRouting | None = None
    """What is wrong with a damaged one."""

    @property
    def variants(self) -> tuple[RoutedVariant, ...]:
        """The variants; none when the document is damaged."""
        return self.routing.variants if self.routing else ()

    def intact(self) -> Routing:
        """The routing.

        Raises:
            InvalidRouting: it is damaged.
        """
        if self.routing is None:
            raise self.problem or InvalidRouting("The routing is damaged.")
        return self.routing


class RoutingStore:
    """Reads, writes and deletes the routing documents of one stack."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def find(self, endpoint: str) -> StoredRouting | None:
        """The routing of an endpoint; None when there is no document. Needs s3:ListBucket: without it S3 answers 403 for what is
        not there."""
        if not is_endpoint_name(endpoint):
            return None
        key = routing_key(endpoint)
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if code(error) in {"NoSuchKey", "404"}:
                return None
            raise
        source = f"s3://{self._bucket}/{key}"
        try:
            routing = parse_routing(answer["Body"].read(), source)
            if routing.endpoint != endpoint:
                raise InvalidRouting(f"{source}: of endpoint {routing.endpoint!r}; deploy the endpoint's last run again.")
        except InvalidRouting as problem:
            return StoredRouting(None, answer["ETag"], problem)
        return StoredRouting(routing, answer["ETag"])

    def get(self, endpoint: str) -> StoredRouting:
        """The same.

        Raises:
            EndpointNotFound: there is no document.
        """
        found = self.find(endpoint)
        if found is None:
            raise EndpointNotFound(f"No endpoint {endpoint!r} is known; `GET /endpoints` lists them.")
        return found

    def variants(self, endpoint: str) -> tuple[RoutedVariant, ...]:
        """The variants of an endpoint; none when there is no document, or a damaged one."""
        found = self.find(endpoint)
        return found.variants if found else ()

    def write(self, routing: Routing, replacing: StoredRouting | None) -> None:
        """Write an endpoint's routing over the state that was read; None: there was none, and there may be none now.

        Raises:
            ConcurrentModification: somebody else has written or deleted it since.
        """
        key, body, kind = routing_key(routing.endpoint), routing.dump(), "application/json"
        try:
            if replacing is None:
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=kind, IfNoneMatch="*")
            else:
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=kind, IfMatch=replacing.etag)
        except ClientError as error:
            if code(error) in {"PreconditionFailed", "412", "ConditionalRequestConflict", "409"} or is_missing_object(error):
                raise concurrent_modification(routing.endpoint) from None
            raise

    def delete(self, endpoint: str) -> None:
        self._s3.delete_object(Bucket=self._bucket, Key=routing_key(endpoint))


def concurrent_modification(endpoint: str) -> ConcurrentModification:
    """What whoever comes second is told, of two who change an endpoint at the same moment."""
    return ConcurrentModification(f"Endpoint {endpoint} was changed by somebody else at this moment; try again.")
