"""Client of Sageline's HTTP API (docs/api.md): signed requests, errors as sentences."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Mapping, Sequence
from types import TracebackType
from typing import Self
from urllib.parse import quote

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sageline.json_objects import Json
from sageline_cli.errors import CommandFailed

# What the API's messages call by route, people at a terminal call by command.
_COMMANDS = {
    r"GET /pipelines(?=`)": "sageline runs",
    r"GET /endpoints(/[^\s`)]+)?(?=`)": "sageline endpoints",
    r"DELETE /pipelines/([^\s`)]+)": r"sageline stop \1",
    r"POST /endpoints/([^\s`)]+)/rollback": r"sageline rollback \1",
}

# An HTTP API gives up after 30 s; connecting takes a moment or does not work at all.
_TIMEOUT = httpx.Timeout(35, connect=5)
_GATEWAY_RETRY_SECONDS = 10
"""API Gateway's own 503 comes without a ``Retry-After``."""


class SigV4(httpx.Auth):
    """Signs requests for API Gateway with IAM authorization (service name ``execute-api``)."""

    requires_request_body = True

    def __init__(self, credentials: Credentials, region: str) -> None:
        self._credentials = credentials
        self._region = region

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        signed = AWSRequest(request.method, str(request.url), data=request.content)
        # Frozen here and not before: credentials of a role are renewed while a command follows a long run.
        SigV4Auth(self._credentials.get_frozen_credentials(), "execute-api", self._region).add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        yield request


class ApiClient:
    """One method per route. Every failure is a :class:`CommandFailed` with the API's error code and message."""

    def __init__(self, api_url: str, auth: httpx.Auth, transport: httpx.BaseTransport | None = None) -> None:
        self._url = api_url.rstrip("/")
        # Without a transport given, httpx takes the proxies of the environment into account.
        self._http = httpx.Client(auth=auth, timeout=_TIMEOUT, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._http.close()

    def runs(self, limit: int, name: str | None = None) -> list[Json]:
        """The newest ``limit`` runs, of one name if given."""
        runs: list[Json] = []
        token: str | None = None
        while len(runs) < limit:
            page = self.runs_page(min(limit - len(runs), 100), name, token)
            runs += page["runs"]
            token = page.get("next_token")
            if token is None:
                break
        return runs

    def runs_page(self, limit: int, name: str | None = None, token: str | None = None, *, details: bool = True) -> Json:
        """One page of runs, newest first: ``{"runs", "next_token"}``; of one name if given. Without ``details``, it is faster."""
        query = {"limit": str(limit), "name": name, "next_token": token, "details": None if details else "false"}
        return self._call("GET", "/pipelines", query={k: v for k, v in query.items() if v is not None})

    def run(self, run_id: str) -> Json:
        return self._call("GET", f"/pipelines/{_segment(run_id)}")

    def create_upload(self, dataset: Json) -> Json:
        """A URL for a dataset or a part, ``{"name", "bytes", "md5"}`` and maybe ``format``, ``file`` and ``spec``: ``{"upload",
        "bucket", "key", "expires_in_seconds"}``."""
        return self._call("POST", "/datasets", body=dataset)

    def inspect_dataset(self, asked: Json) -> Json:
        """What would be made of a dataset in S3, ``{"uri"}`` or ``{"name"}`` and maybe ``spec``."""
        return self._call("POST", "/datasets/inspect", body=asked)

    def complete_dataset(self, name: str, idempotency_key: str) -> Json:
        """Start a run of all parts of a dataset, once for each key: ``{"run_id", "status"}``."""
        return self._call("POST", f"/datasets/{_segment(name)}/complete", headers={"idempotency-key": idempotency_key})

    def start_run(self, spec: Json, idempotency_key: str) -> Json:
        """Start a run on data that is in S3 already, once for each key: ``{"run_id", "status"}``."""
        return self._call("POST", "/pipelines", body={"spec": spec}, headers={"idempotency-key": idempotency_key})

    def stop_run(self, run_id: str) -> Json:
        """Stop a run; its record."""
        return self._call("DELETE", f"/pipelines/{_segment(run_id)}")

    def endpoints(self) -> list[Json]:
        endpoints: list[Json] = self._call("GET", "/endpoints")["endpoints"]
        return endpoints

    def endpoint(self, name: str) -> Json:
        """An endpoint, with the columns of the rows that it takes and an example."""
        return self._call("GET", f"/endpoints/{_segment(name)}")

    def change_endpoint(self, name: str, change: Json) -> Json:
        """Set ``weights`` or ``ttl_hours`` of an endpoint; the endpoint as it is then."""
        return self._call("PATCH", f"/endpoints/{_segment(name)}", body=change)

    def promote(self, name: str, variant: str) -> Json:
        """Give a variant all the traffic: ``{"endpoint", "run_id", "status"}``; the run lets the other variants go."""
        return self._call("POST", f"/endpoints/{_segment(name)}/promote", body={"variant": variant})

    def roll_back(self, name: str) -> Json:
        """Go back to what an endpoint served before: ``{"endpoint", "run_id", "status"}``."""
        return self._call("POST", f"/endpoints/{_segment(name)}/rollback")

    def delete_endpoint(self, name: str) -> Json:
        """Delete an endpoint and what belongs to it: ``{"endpoint", "deleted": [...]}``, empty if there was none."""
        return self._call("DELETE", f"/endpoints/{_segment(name)}")

    def predict(self, endpoint: str, instances: Sequence[object], top_k: int, *, strict: bool = False) -> Json:
        """Predictions for raw rows: ``{"predictions": [...], "endpoint", "variant", "model_version"}``, with ``"warnings"`` if
        there are any; ``strict`` makes them errors."""
        body: Json = {"instances": list(instances), "top_k": top_k} | ({"strict": True} if strict else {})
        return self._call("POST", f"/endpoints/{_segment(endpoint)}/predictions", body=body)

    def start_batch(self, endpoint: str, request: Json, idempotency_key: str) -> Json:
        """Score the rows of a file in S3, once for each key: ``{"run_id", "status", "output"}``."""
        path = f"/endpoints/{_segment(endpoint)}/batch"
        return self._call("POST", path, body=request, headers={"idempotency-key": idempotency_key})

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Json | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        content = None if body is None else json.dumps(body, allow_nan=False).encode()
        headers = {**(headers or {}), **({} if content is None else {"content-type": "application/json"})}
        try:
            response = self._http.request(method, self._url + path, params=query or None, content=content, headers=headers)
        except httpx.TimeoutException:
            raise CommandFailed(f"{self._url} did not answer in time; try again.", "Timeout") from None
        except httpx.TransportError as error:
            raise CommandFailed(f"{self._url} cannot be reached: {error}.", "Unreachable") from None
        return _read(response)


def _segment(name: str) -> str:
    return quote(name, safe="")


def _read(response: httpx.Response) -> Json:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if response.is_success and isinstance(answer, dict):
        return answer
    status = f"HTTP {response.status_code}"
    match answer:
        case {"error": {"code": str(code), "message": str(message), **rest}}:
            details = rest.get("details")
            for route, command in _COMMANDS.items():
                message = re.sub(route, command, message)
            raise CommandFailed(message, code, details if isinstance(details, dict) else None, _retry_after(response))
        case {"message": str(message)} if response.status_code == 403:
            # API Gateway's own answer, before any of Sageline's functions is asked.
            raise CommandFailed(
                f"The API does not let you in ({message}): your role or user needs execute-api:Invoke on it.", "Forbidden"
            )
        case {"message": str(message)} if response.status_code == 413:
            # API Gateway's own too: as an event the request is more than a function takes.
            raise CommandFailed(f"The request is too large ({message}); send fewer rows, or shorter ones.", "RequestTooLarge")
        case {"message": str(message)} if response.status_code == 503:
            # After 30 s: a function and a model behind it that are both being started may take longer.
            raise CommandFailed(f"The API answered {status}: {message}.", status, retry_after=_GATEWAY_RETRY_SECONDS)
        case {"message": str(message)}:
            raise CommandFailed(f"The API answered {status}: {message}.", status)
        case _:
            raise CommandFailed(
                f"The API answered {status} with something that is not Sageline's: {response.text[:200]!r}", status
            )


def _retry_after(response: httpx.Response) -> int | None:
    seconds = response.headers.get("retry-after", "")
    return int(seconds) if seconds.isdecimal() else None
