"""What a caller may ask of ``POST /endpoints/{name}/predictions``: rows in any of some types of body, and options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sageline.aws.http import (
    MAX_BODY_BYTES,
    Event,
    body_text,
    check_keys,
    escaped_bytes,
    header,
    json_type,
    read_json_object,
    shortened,
)
from sageline.aws.media_types import media_type, parameter
from sageline.errors import InvalidRequest, RequestTooLarge, UnsupportedMediaType
from sageline.serving.answer import CSV, JSON, JSON_LINES, AnswerForm, answer_form
from sageline.serving.document import MAX_INSTANCES, MAX_SESSION_CHARACTERS, PredictionBody, PredictionOptions
from sageline.serving.image_body import IMAGES, image_instance
from sageline.serving.rows import Instances, RequestRows, read_csv, read_json_lines

_OPTIONS = tuple(PredictionOptions.__annotations__)
_SENT_BY_DEFAULT = ("", "application/octet-stream", "application/x-www-form-urlencoded", "text/plain")
"""What clients send that were told no type: curl, Python's urllib, a browser's fetch. Such a body is JSON."""
_UTF_8 = (None, "utf-8", "utf8", "us-ascii", "ascii")
_TRUTH = {"true": True, "false": False}
_LONGEST_NUMBER = 9  # digits
_OF_A_SIGNATURE = "x-amz-"


@dataclass(frozen=True)
class PredictionRequest:
    """Raw rows, how many labels to name for each, whose request it is, whether warnings are errors, whether to tell the
    probability of every class, and in which form to answer."""

    rows: RequestRows
    top_k: int = 1
    session: str | None = None
    strict: bool = False
    probabilities: bool = False
    form: AnswerForm = field(default_factory=AnswerForm)


def read_prediction_request(event: Event) -> PredictionRequest:
    """The request in an HTTP API event; an image file is one instance.

    Options come in the query string; beside the ``instances`` of a JSON body they may come there too.

    Raises:
        InvalidRequest: a body that is not of its type, an unknown key or option, one that occurs twice, no rows, an option of a
            wrong type.
        NotAcceptable: an ``Accept`` that no answer can have.
        RequestTooLarge: over :data:`MAX_INSTANCES` rows, or over :data:`sageline.aws.http.MAX_BODY_BYTES` bytes as the event
            holds them.
        UnsupportedMediaType: a body of another type, or text in another encoding than UTF-8.
    """
    form = answer_form(header(event, "accept"))
    size = escaped_bytes(event.get("body") or "")
    if size > MAX_BODY_BYTES:
        raise RequestTooLarge(
            f"The request body has {size:,} bytes, its quotes and line ends escaped as Lambda gets it; the limit is "
            f"{MAX_BODY_BYTES:,}. Send fewer instances a request.",
            max_bytes=MAX_BODY_BYTES,
        )
    options = _query_options(event)
    rows, more = _rows(event)
    if twice := sorted(options.keys() & more.keys()):
        raise InvalidRequest(f"`{twice[0]}` is in the query string and in the request body; send it once.", key=twice[0])
    given = {**options, **more}
    return PredictionRequest(rows, _top_k(given), _session(given), _truth(given, "strict"), _truth(given, "probabilities"), form)


def _rows(event: Event) -> tuple[RequestRows, Mapping[str, object]]:
    """The rows of the body, and the options beside them."""
    if (image := image_instance(event)) is not None:
        return Instances([image]), {}
    given = header(event, "content-type")
    kind = media_type(given)
    if kind in (JSON, *_SENT_BY_DEFAULT) or kind.endswith("+json"):
        body = _read_json(event, kind)
        check_keys(body, known=PredictionBody.__annotations__, required=PredictionBody.__required_keys__)
        return Instances(_instances(body)), {name: value for name, value in body.items() if name != "instances"}
    if kind not in _READERS:
        raise UnsupportedMediaType(
            f"The request body is of the type {shortened(kind)!r}; send {', '.join(TYPES[:-1])} or {TYPES[-1]}.", accepted=TYPES
        )
    return _READERS[kind](body_text(event, MAX_BODY_BYTES), given), {}


def _read_json(event: Event, kind: str) -> dict[str, object]:
    """The body as JSON; where nobody has said that it is, an error says how to send something else."""
    try:
        return read_json_object(event, MAX_BODY_BYTES)
    except InvalidRequest as error:
        if kind not in _SENT_BY_DEFAULT:
            raise
        given = f"Its content type is {kind}, which clients send by default" if kind else "It has no content type"
        hint = f"so it is read as JSON; set `content-type: text/csv` for CSV, `content-type: {JSON_LINES[0]}` for JSON Lines."
        raise InvalidRequest(f"{error.message} {given}, {hint}", **error.details) from None


def _read_csv(text: str, content_type: str) -> RequestRows:
    charset = parameter(content_type, "charset")
    if charset not in _UTF_8:
        raise UnsupportedMediaType(f"The request body is in {shortened(charset or '')!r}; send it in UTF-8.", accepted=TYPES)
    return read_csv(text, parameter(content_type, "header"))


_READERS: Mapping[str, Callable[[str, str], RequestRows]] = {
    CSV: _read_csv,
    **dict.fromkeys(JSON_LINES, lambda text, _: read_json_lines(text)),
}
"""By type of the body; each takes its text and the header ``Content-Type``."""
TYPES = [JSON, *_READERS, IMAGES]
"""The types that a body may have."""


def _query_options(event: Event) -> dict[str, object]:
    """The options in the query string, as JSON would have them; those of a signature are not of the request."""
    query: Mapping[str, str] = event.get("queryStringParameters") or {}
    given = {name: text for name, text in query.items() if not name.lower().startswith(_OF_A_SIGNATURE)}
    check_keys(given, known=_OPTIONS, where="query string")
    return {name: _as_json(name, text) for name, text in given.items()}


def _as_json(name: str, text: str) -> object:
    """A text of the query as JSON would have the option; one that cannot be read stays a text, which is refused as one."""
    if name == "session":
        return text
    if name == "top_k":
        return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else text
    return _TRUTH.get(text, text)


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


def _top_k(given: Mapping[str, object]) -> int:
    top_k = given.get("top_k", 1)
    if not isinstance(top_k, int) or isinstance(top_k, bool) or top_k < 1:
        raise InvalidRequest("`top_k` is not a positive whole number; leave it out for 1.", key="top_k")
    return top_k


def _session(given: Mapping[str, object]) -> str | None:
    session = given.get("session")
    if session is None:
        return None
    if not isinstance(session, str) or not 1 <= len(session) <= MAX_SESSION_CHARACTERS:
        raise InvalidRequest(
            f"`session` is not a string of 1 to {MAX_SESSION_CHARACTERS} characters; leave it out if any variant may answer.",
            key="session",
        )
    return session


def _truth(given: Mapping[str, object], name: str) -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise InvalidRequest(f"`{name}` is not true or false; leave it out for false.", key=name)
    return value
