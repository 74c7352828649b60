"""What a caller may ask of ``POST /endpoints/{name}/predictions``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sageline.aws.http import MAX_BODY_BYTES, Event, check_keys, escaped_bytes, json_type, read_json_object
from sageline.errors import InvalidRequest, RequestTooLarge
from sageline.serving.image_body import image_instance

MAX_INSTANCES = 1000
MAX_SESSION_CHARACTERS = 256


@dataclass(frozen=True)
class PredictionRequest:
    """Raw rows, how many labels to name for each, whose request it is, and whether warnings are errors."""

    instances: list[object]
    top_k: int = 1
    session: str | None = None
    strict: bool = False


def read_prediction_request(event: Event) -> PredictionRequest:
    """The request in an HTTP API event: JSON, or an image file, which is one instance.

    Raises:
        InvalidRequest: not JSON, an unknown key, one that occurs twice, `instances` missing, not a list or empty, `top_k`,
            `session` or `strict` of a wrong type.
        RequestTooLarge: over :data:`MAX_INSTANCES` instances, or over :data:`sageline.aws.http.MAX_BODY_BYTES` bytes as the event
            holds them.
    """
    size = escaped_bytes(event.get("body") or "")
    if size > MAX_BODY_BYTES:
        raise RequestTooLarge(
            f"The request body has {size:,} bytes, its quotes and line ends escaped as Lambda gets it; the limit is "
            f"{MAX_BODY_BYTES:,}. Send fewer instances a request.",
            max_bytes=MAX_BODY_BYTES,
        )
    if (image := image_instance(event)) is not None:
        return PredictionRequest([image])
    body = read_json_object(event, MAX_BODY_BYTES)
    check_keys(body, known=("instances", "top_k", "session", "strict"), required=("instances",))
    return PredictionRequest(_instances(body), _top_k(body), _session(body), _strict(body))


def _instances(body: Mapping[str, object]) -> list[object]:
    instances = body["instances"]
    if not isinstance(instances, list):
        raise InvalidRequest(
            f"`instances` is a JSON {json_type(instances)}; send an array, with one item for each prediction wanted.",
            key="instances",
        )
    if not instances:
        raise InvalidRequest("`instances` is empty; send at least one.", key="instances")
    if len(instances) > MAX_INSTANCES:
        raise RequestTooLarge(
            f"`instances` has {len(instances):,} items; a request takes at most {MAX_INSTANCES:,}.", max_instances=MAX_INSTANCES
        )
    return instances


def _top_k(body: Mapping[str, object]) -> int:
    top_k = body.get("top_k", 1)
    if not isinstance(top_k, int) or isinstance(top_k, bool) or top_k < 1:
        raise InvalidRequest("`top_k` is not a positive whole number; leave it out for 1.", key="top_k")
    return top_k


def _session(body: Mapping[str, object]) -> str | None:
    session = body.get("session")
    if session is None:
        return None
    if not isinstance(session, str) or not 1 <= len(session) <= MAX_SESSION_CHARACTERS:
        raise InvalidRequest(
            f"`session` is not a string of 1 to {MAX_SESSION_CHARACTERS} characters; leave it out if any variant may answer.",
            key="session",
        )
    return session


def _strict(body: Mapping[str, object]) -> bool:
    strict = body.get("strict", False)
    if not isinstance(strict, bool):
        raise InvalidRequest("`strict` is not true or false; leave it out for false.", key="strict")
    return strict
