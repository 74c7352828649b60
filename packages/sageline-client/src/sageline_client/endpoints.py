"""Endpoints: what serves, and how its traffic is split."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sageline_client.answers import ChangeRun, DeletedEndpoint, Endpoint, EndpointWithColumns, StartedBatch
from sageline_client.http import Http, new_key, segment


@dataclass(frozen=True)
class Endpoints:
    """The endpoints of a stack."""

    _http: Http

    def list(self) -> builtins.list[Endpoint]:
        answer: builtins.list[Endpoint] = self._http.json("GET", "/endpoints")["endpoints"]
        return answer

    def get(self, name: str) -> EndpointWithColumns:
        """An endpoint, with the columns of the rows that it takes and an example."""
        answer: EndpointWithColumns = self._http.json("GET", _path(name))
        return answer

    def schema(self, name: str) -> dict[str, Any]:  # a JSON Schema
        """The JSON Schema of the rows that an endpoint takes."""
        answer: dict[str, Any] = self._http.json("GET", f"{_path(name)}/schema")  # as above
        return answer

    def set_weights(self, name: str, weights: Mapping[str, float]) -> Endpoint:
        """Split the traffic: a variant's share is its weight divided by the sum of all; one not named keeps its own."""
        return self.change(name, {"weights": weights})

    def set_ttl(self, name: str, hours: float | None) -> Endpoint:
        """Have an endpoint deleted so many hours from now; None keeps it."""
        return self.change(name, {"ttl_hours": hours})

    def change(self, name: str, change: Mapping[str, object]) -> Endpoint:
        """Both at once: ``{"weights": {…}, "ttl_hours": …}``."""
        answer: Endpoint = self._http.json("PATCH", _path(name), body=change)
        return answer

    def promote(self, name: str, variant: str, *, idempotency_key: str | None = None) -> ChangeRun:
        """Give a variant all the traffic; the run lets the others go.

        Args:
            idempotency_key: the same key does it once. A new one for each call, unless given.
        """
        path, key = f"{_path(name)}/promote", idempotency_key or new_key()
        answer: ChangeRun = self._http.json("POST", path, body={"variant": variant}, idempotency_key=key)
        return answer

    def roll_back(self, name: str, *, idempotency_key: str | None = None) -> ChangeRun:
        """Go back to what an endpoint served before; twice undoes the first.

        Args:
            idempotency_key: the same key goes back once. A new one for each call, unless given.
        """
        path, key = f"{_path(name)}/rollback", idempotency_key or new_key()
        answer: ChangeRun = self._http.json("POST", path, idempotency_key=key)
        return answer

    def delete(self, name: str) -> DeletedEndpoint:
        """Delete an endpoint with all that belongs to it; ``deleted`` is empty if there was none."""
        answer: DeletedEndpoint = self._http.json("DELETE", _path(name))
        return answer

    def start_batch(
        self,
        name: str,
        input: str,  # noqa: A002  # the API's word
        *,
        variant: str | None = None,
        instance_type: str | None = None,
        instance_count: int | None = None,
        max_runtime_seconds: int | None = None,
        escape_formulas: bool | None = None,
        workers: int | None = None,
        idempotency_key: str | None = None,
    ) -> StartedBatch:
        """Start a batch: a run that scores the rows of a file in the stack's bucket, without the endpoint's instances.

        Args:
            input: the file, ``s3://<bucket>/batch/…``.
            variant: whose model; by default the one of most weight.
            escape_formulas: have cells that a spreadsheet would run begin with an apostrophe.
            workers: how many functions encode the rows and write the predictions at once; by default as the size asks for.
            idempotency_key: the same key starts one run. A new one for each call, unless given.
        """
        options = {
            "variant": variant,
            "instance_type": instance_type,
            "instance_count": instance_count,
            "max_runtime_seconds": max_runtime_seconds,
            "escape_formulas": escape_formulas,
            "workers": workers,
        }
        body = {"input": input, **{key: value for key, value in options.items() if value is not None}}
        path, key = f"{_path(name)}/batch", idempotency_key or new_key()
        answer: StartedBatch = self._http.json("POST", path, body=body, idempotency_key=key)
        return answer


def _path(name: str) -> str:
    return f"/endpoints/{segment(name)}"
