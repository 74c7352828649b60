"""Runs: starting, following and stopping them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sageline_client.answers import Run, RunPage, StartedRun
from sageline_client.errors import NotFound
from sageline_client.http import Http, new_key, segment

_BEGINS_SECONDS = 60.0
"""A run that was started is known when its first state has begun."""
_MOST_POLL_SECONDS = 5.0


@dataclass(frozen=True)
class Runs:
    """The runs of a stack."""

    _http: Http

    def start(self, spec: Mapping[str, object], *, idempotency_key: str | None = None) -> StartedRun:
        """Start a run on data that is in the stack's bucket, at ``spec["dataset"]["uri"]``.

        Args:
            idempotency_key: the same key and spec start one run, however often they are sent, also by another process. A new
                one for each call, unless given.
        """
        body = {"spec": spec}
        answer: StartedRun = self._http.json("POST", "/pipelines", body=body, idempotency_key=idempotency_key or new_key())
        return answer

    def list(self, *, name: str | None = None, page_size: int = 20) -> Iterator[Run]:
        """Runs, newest first, of one name if given; a page is asked for when it is come to.

        Args:
            page_size: 1 to 100.
        """
        token: str | None = None
        while True:
            page = self.page(limit=page_size, name=name, next_token=token)
            yield from page["runs"]
            token = page.get("next_token")
            if token is None:
                return

    def page(self, *, limit: int = 20, name: str | None = None, next_token: str | None = None, details: bool = True) -> RunPage:
        """One page of runs, newest first, of one name if given.

        Args:
            limit: 1 to 100.
            next_token: from the page before.
            details: without them ``states`` and ``details`` of each run are empty, and the answer comes several times as fast.
        """
        given = {"limit": str(limit), "name": name, "next_token": next_token, "details": None if details else "false"}
        query = {key: value for key, value in given.items() if value is not None}
        answer: RunPage = self._http.json("GET", "/pipelines", query=query)
        return answer

    def get(self, run_id: str) -> Run:
        answer: Run = self._http.json("GET", f"/pipelines/{segment(run_id)}")
        return answer

    def stop(self, run_id: str) -> Run:
        """Stop a run and undo what it was deploying; the run."""
        answer: Run = self._http.json("DELETE", f"/pipelines/{segment(run_id)}")
        return answer

    def wait(self, run_id: str, *, seconds: float = 3600.0) -> Run:
        """A run when it has ended, however it has: look at its ``status``, and ``error`` if it has failed.

        Raises:
            TimeoutError: it has not ended in so many seconds, or whether it has cannot be told. It goes on.
            NotFound: there is no such run a minute from now.
        """
        begun = time.monotonic()
        while True:
            run = self._begun(run_id, within=_BEGINS_SECONDS - (time.monotonic() - begun))
            if run is not None and run["status"] not in ("Running", "Unknown"):
                return run
            waited = time.monotonic() - begun
            if waited >= seconds:
                status = "not begun" if run is None else f"{run['status']}, in the state {run['state']}"
                raise TimeoutError(f"Run {run_id} has not ended in {seconds:g} s; it is {status}.")
            time.sleep(min(max(waited / 60, 0.5), _MOST_POLL_SECONDS))

    def _begun(self, run_id: str, *, within: float) -> Run | None:
        try:
            return self.get(run_id)
        except NotFound:
            if within <= 0:
                raise
            return None
