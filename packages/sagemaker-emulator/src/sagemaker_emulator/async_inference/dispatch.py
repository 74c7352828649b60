"""Who takes requests from the queue: as many at a time as the variants of their endpoint have capacity for."""

from __future__ import annotations

import contextlib
import logging
import shutil
import sqlite3
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeAlias

from sagemaker_emulator.async_inference.process import Failed, Interrupted, Processing, Tools
from sagemaker_emulator.async_inference.queue import Accepted, Backlog, Queued, RequestQueue
from sagemaker_emulator.hosting.deployments import KIND, Deployments
from sagemaker_emulator.hosting.variants import Replaced, Variant
from sagemaker_emulator.store import Document

logger = logging.getLogger(__name__)

# SageMaker "chooses an optimal value" where MaxConcurrentInvocationsPerInstance is not given.
DEFAULT_CONCURRENCY = 4
# Of one variant: each is a thread.
_MOST_AT_ONCE = 100
# How soon a change of an endpoint is noticed while something waits for it; nothing is looked at while nothing waits.
_TICK_SECONDS = 0.2
_GAUGE_SECONDS = 5.0
_GAUGES = (
    *("ApproximateBacklogSize", "ApproximateBacklogSizePerInstance", "ApproximateAgeOfOldestRequest"),
    "HasBacklogWithoutCapacity",
)
_END_SECONDS = 5.0

_MOST_EXPIRED_AT_ONCE = 4

# Names of an endpoint and a variant.
_Lane: TypeAlias = tuple[str, str]
_EXPIRED: _Lane = ("", "expired")


class Dispatcher:
    """One thread that looks at the queue, and one for each invocation that is on its way."""

    def __init__(self, tools: Tools, deployments: Deployments, queue: RequestQueue) -> None:
        self._tools = tools
        self._store = tools.parts.store
        self._deployments = deployments
        self._queue = queue
        self._directory = tools.parts.home / "async"
        self._running: Counter[_Lane] = Counter()
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._stopped = threading.Event()
        self._next_gauge: dict[str, float] = {}
        self._thread = threading.Thread(target=self._run, name="async-inference", daemon=True)

    def start(self) -> None:
        """Go on with what the last life of the service has left in the queue."""
        shutil.rmtree(self._directory, ignore_errors=True)
        self._wanted.set()
        self._thread.start()

    def add(self, request: Accepted) -> None:
        """Queue an accepted request: from here on it is not lost."""
        self._queue.add(request)
        self._wanted.set()

    def stop(self) -> None:
        """Take nothing more from the queue; what is on its way goes on as long as its container."""
        self._stopped.set()
        self._wanted.set()
        if self._thread.is_alive():
            self._thread.join(timeout=_END_SECONDS)

    def close(self) -> None:
        """After the containers have ended: what they have not answered stays in the queue."""
        deadline = time.monotonic() + _END_SECONDS
        with self._lock:
            running = list(self._threads)
        for thread in running:
            thread.join(timeout=max(0.0, deadline - time.monotonic()))
        self._queue.close()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                waiting = self._dispatch()
            except Exception:  # one endpoint's trouble must not stop the others
                logger.exception("asynchronous inference")
                waiting = True
            self._wanted.wait(timeout=_TICK_SECONDS if waiting else None)
            # Before it is looked whether to stop, or the call that is to stop would be cleared away unheard.
            self._wanted.clear()

    def _dispatch(self) -> bool:
        """Start what can be started; returns whether anything is in the queue."""
        while self._free(_EXPIRED, _MOST_EXPIRED_AT_ONCE) and (queued := self._queue.take_expired(time.time())) is not None:
            self._expire(queued)
        backlogs = self._queue.backlogs()
        for backlog in backlogs:
            endpoint = self._store.get(KIND, backlog.endpoint)
            if endpoint is None or endpoint["CreationTime"] != backlog.created or endpoint["EndpointStatus"] == "Deleting":
                self._drop(backlog)
                continue
            variants = {variant["VariantName"]: variant for variant in endpoint.get("ProductionVariants", [])}
            if variants:
                heaviest = max(variants, key=lambda name: float(variants[name]["CurrentWeight"]))
                self._queue.move(backlog.endpoint, set(variants), heaviest)
            serving = self._deployments.variants(backlog.endpoint)
            for name in variants.keys() & serving.keys():
                # One that has died is started again, and what waits for it would fail meanwhile.
                if not serving[name].has_ended:
                    self._fill(endpoint, serving[name], _capacity(endpoint, variants[name]))
            self._measure(backlog, variants)
        for emptied in self._next_gauge.keys() - {backlog.endpoint for backlog in backlogs}:
            del self._next_gauge[emptied]
            self._tools.metrics.add(emptied, None, dict.fromkeys(_GAUGES, 0))
        return bool(backlogs)

    def _fill(self, endpoint: Document, variant: Variant, capacity: int) -> None:
        name = endpoint["EndpointName"]
        while not self._stopped.is_set() and self._free((name, variant.name), capacity):
            queued = self._queue.take(name, variant.name)
            if queued is None:
                return
            processing = self._processing(queued.request, endpoint, variant.home)
            self._begin((name, variant.name), queued, processing, partial(self._invoke, variant, processing))

    def _invoke(self, variant: Variant, processing: Processing) -> None:
        name = processing.request.endpoint
        with variant.in_use():
            processing.invoke(variant, lambda: self._deployments.variants(name).get(variant.name) is variant)

    def _expire(self, queued: Queued) -> None:
        request = queued.request
        serving = self._deployments.variants(request.endpoint).get(request.variant)
        endpoint = self._store.get(KIND, request.endpoint) or {}
        processing = self._processing(request, endpoint, serving.home if serving else None)
        reason = f"ClientError: The request has expired: it has waited for longer than {request.ttl_seconds} seconds."
        self._begin(_EXPIRED, queued, processing, partial(processing.fail, Failed(reason, counted="ExpiredRequests")))

    def _free(self, lane: _Lane, capacity: int) -> bool:
        with self._lock:
            return self._running[lane] < capacity

    def _begin(self, lane: _Lane, queued: Queued, processing: Processing, work: Callable[[], None]) -> None:
        """Do the work on a request in a thread of its own, which counts for a lane as long as it runs."""

        def run() -> None:
            try:
                self._work(queued, processing, work)
            except sqlite3.Error:  # closed, as the service ends, or its disk is full
                logger.exception("asynchronous request %s stays in the queue", queued.request.inference_id)
            finally:
                shutil.rmtree(processing.folder, ignore_errors=True)
                with self._lock:
                    self._running[lane] -= 1
                    self._threads.discard(thread)
                self._wanted.set()

        thread = threading.Thread(target=run, name=f"async-{queued.request.inference_id}", daemon=True)
        with self._lock:
            self._running[lane] += 1
            self._threads.add(thread)
        thread.start()

    def _work(self, queued: Queued, processing: Processing, work: Callable[[], None]) -> None:
        try:
            work()
        except (Replaced, Interrupted):
            self._queue.give_back(queued.number)
            return
        except Exception as error:  # what can not be processed must not come back for ever
            logger.exception("asynchronous request %s of endpoint %s", queued.request.inference_id, queued.request.endpoint)
            with contextlib.suppress(Exception):
                processing.fail(Failed(f"InternalServerError: the local SageMaker service failed: {error!r}"))
        self._queue.remove(queued.number)

    def _processing(self, request: Accepted, endpoint: Document, home: Path | None) -> Processing:
        role = endpoint.get("_roles", {}).get(request.variant) or ""
        return Processing(self._tools, request, role, self._directory / uuid.uuid4().hex, home)

    def _drop(self, backlog: Backlog) -> None:
        dropped = self._queue.drop(backlog.endpoint, backlog.created)
        if dropped:
            logger.warning("%d requests waited for the endpoint %s, which was deleted", dropped, backlog.endpoint)

    def _measure(self, backlog: Backlog, variants: Mapping[str, Document]) -> None:
        if time.monotonic() < self._next_gauge.get(backlog.endpoint, 0.0):
            return
        self._next_gauge[backlog.endpoint] = time.monotonic() + _GAUGE_SECONDS
        instances = sum(int(variant.get("CurrentInstanceCount", 0)) for variant in variants.values())
        age = round(max(0.0, time.time() - backlog.oldest))
        per_instance = round(backlog.size / max(1, instances))
        values = (backlog.size, per_instance, age, int(not instances))
        self._tools.metrics.add(backlog.endpoint, None, dict(zip(_GAUGES, values, strict=True)))


def _capacity(endpoint: Document, variant: Document) -> int:
    """How many invocations of a variant are on their way at most: none while it has no instance."""
    client = endpoint.get("AsyncInferenceConfig", {}).get("ClientConfig", {})
    each = client.get("MaxConcurrentInvocationsPerInstance") or DEFAULT_CONCURRENCY
    return min(int(variant.get("CurrentInstanceCount", 0)) * int(each), _MOST_AT_ONCE)
