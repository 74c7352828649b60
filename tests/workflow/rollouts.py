"""Models on instances, traffic to them, and who gets what share of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sageline.json_objects import Json
from sageline_cli.errors import CommandFailed
from tests.workflow.workbench import Workbench, flowers

INSTANCES = {"instance_type": "ml.m5.large", "count": 1}
QUICK = {"algorithm": {"name": "xgboost", "hyperparameters": {"num_round": 3}}}
IRIS = {"length": 5, "width": 1.5, "ground": "wet"}


def canary(percent: float, minutes: float) -> Json:
    return {"instances": INSTANCES, "strategy": "canary", "canary": {"first_percent": percent, "bake_minutes": minutes}}


def shares(workbench: Workbench, endpoint: str) -> dict[str, float]:
    [found] = [found for found in workbench.connection.api.endpoints() if found["name"] == endpoint]
    return {variant["name"]: variant["weight"] for variant in found["variants"]}


def first_model(workbench: Workbench, name: str, spec: Json | None = None) -> str:
    """A run whose model serves on instances; its id."""
    deployment = {"deployment": {"endpoint": name, "instances": INSTANCES}}
    run = workbench.wait(workbench.submit(name, flowers(), {**(spec or QUICK), **deployment}).run_id)
    assert run["status"] == "Succeeded", run["error"]
    return str(run["run_id"])


@dataclass
class Traffic:
    """What clients were answered: how often by which variant, and with which errors: what was said, by the error's code."""

    answered: dict[str, int] = field(default_factory=dict)
    errors: dict[str, set[str]] = field(default_factory=dict)


@contextmanager
def traffic(workbench: Workbench, endpoint: str, clients: int = 3, rows: Sequence[object] = (IRIS,)) -> Iterator[Traffic]:
    """Clients who ask and ask."""
    seen, done, lock = Traffic(), threading.Event(), threading.Lock()

    def ask() -> None:
        while not done.is_set():
            try:
                variant = workbench.connection.api.predict(endpoint, rows, 1)["variant"]
                with lock:
                    seen.answered[variant] = seen.answered.get(variant, 0) + 1
            except CommandFailed as error:
                with lock:
                    seen.errors.setdefault(error.code, set()).add(error.message)
            time.sleep(0.2)

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        done.set()
        for thread in threads:
            thread.join()
