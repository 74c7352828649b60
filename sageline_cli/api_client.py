"""The client of Sageline's HTTP API as the commands use it: JSON objects, and errors as sentences that name commands."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice
from types import TracebackType
from typing import Self, TypeVar, cast

import httpx

from sageline.json_objects import Json
from sageline_cli.errors import ON_THIS_MACHINE, CommandFailed, not_up
from sageline_client import ApiError, Instance, Retries, Sageline, SigV4

__all__ = ["ApiClient", "SigV4"]

# What the API's messages call by route, people at a terminal call by command.
_COMMANDS = {
    r"GET /pipelines(?=`)": "sageline runs",
    r"GET /endpoints(/[^\s`)]+)?(?=`)": "sageline endpoints",
    r"DELETE /pipelines/([^\s`)]+)": r"sageline stop \1",
    r"POST /endpoints/([^\s`)]+)/rollback": r"sageline rollback \1",
}
T = TypeVar("T")

_MOST_RUNS = 100
"""On a page."""


class ApiClient:
    """One method per route. Every failure is a :class:`CommandFailed` with the API's error code and message.

    Nothing is sent twice: a person sees at once what is wrong. :meth:`patient` is for what is worth waiting for.
    """

    def __init__(self, api_url: str, auth: httpx.Auth, transport: httpx.BaseTransport | None = None) -> None:
        # Without a transport given, httpx takes the proxies of the environment into account.
        self._client = Sageline(api_url, auth=auth, retries=Retries(0), transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._client.close()

    def patient(self, seconds: float, tell: Callable[[str], None] = lambda text: None) -> Self:
        """The same, which asks again for so many seconds while an endpoint is not ready or has too much to do.

        Args:
            tell: takes what is waited for.
        """

        def waits(error: ApiError, pause: float) -> None:
            tell(f"{_failed(error).message} Trying again in {pause:.0f} s ...")

        other = copy.copy(self)
        other._client = self._client.with_retries(Retries(seconds, after_no_answer=False, on_retry=waits))
        return other

    def runs(self, limit: int, name: str | None = None) -> list[Json]:
        """The newest ``limit`` runs, of one name if given."""
        runs = self._client.runs.list(name=name, page_size=min(limit, _MOST_RUNS))
        return _answered(lambda: [dict(run) for run in islice(runs, limit)])

    def runs_page(self, limit: int, name: str | None = None, token: str | None = None, *, details: bool = True) -> Json:
        """One page of runs, newest first: ``{"runs", "next_token"}``; of one name if given. Without ``details``, it is faster."""
        return _ask(partial(self._client.runs.page, limit=limit, name=name, next_token=token, details=details))

    def run(self, run_id: str) -> Json:
        return _ask(partial(self._client.runs.get, run_id))

    def create_upload(self, dataset: Json) -> Json:
        """A URL for a dataset or a part, ``{"name", "bytes", "md5"}`` and maybe ``format``, ``file`` and ``spec``: ``{"upload",
        "bucket", "key", "expires_in_seconds"}``."""
        return _ask(partial(self._client.datasets.create_upload, **dataset))

    def inspect_dataset(self, asked: Json) -> Json:
        """What would be made of a dataset in S3, ``{"uri"}`` or ``{"name"}`` and maybe ``spec``."""
        return _ask(partial(self._client.datasets.inspect, **asked))

    def complete_dataset(self, name: str, idempotency_key: str) -> Json:
        """Start a run of all parts of a dataset, once for each key: ``{"run_id", "status"}``."""
        return _ask(partial(self._client.datasets.complete, name, idempotency_key=idempotency_key))

    def start_run(self, spec: Json, idempotency_key: str) -> Json:
        """Start a run on data that is in S3 already, once for each key: ``{"run_id", "status"}``."""
        return _ask(partial(self._client.runs.start, spec, idempotency_key=idempotency_key))

    def stop_run(self, run_id: str) -> Json:
        """Stop a run; its record."""
        return _ask(partial(self._client.runs.stop, run_id))

    def endpoints(self) -> list[Json]:
        return _answered(lambda: [dict(endpoint) for endpoint in self._client.endpoints.list()])

    def endpoint(self, name: str) -> Json:
        """An endpoint, with the columns of the rows that it takes and an example."""
        return _ask(partial(self._client.endpoints.get, name))

    def row_schema(self, name: str) -> Json:
        """JSON Schema of the rows that an endpoint takes."""
        return _ask(partial(self._client.endpoints.schema, name))

    def change_endpoint(self, name: str, change: Json) -> Json:
        """Set ``weights`` or ``ttl_hours`` of an endpoint; the endpoint as it is then."""
        return _ask(partial(self._client.endpoints.change, name, change))

    def promote(self, name: str, variant: str) -> Json:
        """Give a variant all the traffic: ``{"endpoint", "run_id", "status"}``; the run lets the other variants go."""
        return _ask(partial(self._client.endpoints.promote, name, variant))

    def roll_back(self, name: str) -> Json:
        """Go back to what an endpoint served before: ``{"endpoint", "run_id", "status"}``."""
        return _ask(partial(self._client.endpoints.roll_back, name))

    def delete_endpoint(self, name: str) -> Json:
        """Delete an endpoint and what belongs to it: ``{"endpoint", "deleted": [...]}``, empty if there was none."""
        return _ask(partial(self._client.endpoints.delete, name))

    def predict(
        self, endpoint: str, instances: Sequence[object], top_k: int, *, strict: bool = False, probabilities: bool = False
    ) -> Json:
        """Predictions for raw rows: ``{"predictions": [...], "endpoint", "variant", "model_version"}``, with ``"warnings"`` if
        there are any; ``strict`` makes them errors. ``probabilities`` asks for those of all classes."""
        rows = cast("Sequence[Instance]", instances)  # what is no instance, the API refuses, and says why
        return _ask(partial(self._client.predict, endpoint, rows, top_k=top_k, strict=strict, probabilities=probabilities))

    def predict_image(self, endpoint: str, image: bytes, media_type: str, *, probabilities: bool = False) -> Json:
        """The prediction for an image file, as :meth:`predict` answers."""
        return _ask(partial(self._client.predict_body, endpoint, image, media_type, probabilities=probabilities))

    def start_batch(self, endpoint: str, request: Json, idempotency_key: str) -> Json:
        """Score the rows of a file in S3, once for each key: ``{"run_id", "status", "output"}``."""
        return _ask(partial(self._client.endpoints.start_batch, endpoint, idempotency_key=idempotency_key, **request))


def _ask(call: Callable[[], Mapping[str, object]]) -> Json:
    return _answered(lambda: dict(call()))


def _answered(call: Callable[[], T]) -> T:
    try:
        return call()
    except ApiError as error:
        raise _failed(error) from None


def _failed(error: ApiError) -> CommandFailed:
    unsent = error.__cause__
    if isinstance(unsent, httpx.ConnectError) and str(unsent.request.url).startswith(ON_THIS_MACHINE):
        return not_up(f"{unsent.request.url.scheme}://{unsent.request.url.netloc.decode()}", error.code)
    message = error.message
    for route, command in _COMMANDS.items():
        message = re.sub(route, command, message)
    return CommandFailed(message, error.code, error.details, error.retry_after)
