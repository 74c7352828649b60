"""Every golden event, answered by its function in a container as ``sam local start-lambda`` runs it."""

from __future__ import annotations

import json
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sageline_local import golden_events
from sageline_local.fixture import EventPreparer
from sageline_local.golden_events import GoldenEvent
from sageline_local.invoke import deployed_functions
from sageline_local.invoke.command import InvokeContext, sam_local
from sageline_local.stack import LocalStack
from tests.docker.conftest import Docker
from tests.golden import check
from tests.ports import free_port

Json = Any  # what a function answers
Ask = Callable[[str, bytes], Json]

_STARTING_SECONDS = 60
_ANSWER_SECONDS = 180


@pytest.fixture(scope="module")
def preparing(stack: LocalStack) -> EventPreparer:
    """Makes true what an event needs."""
    return EventPreparer(stack)


@pytest.fixture(scope="module")
def ask(docker: Docker, stack: LocalStack, place: InvokeContext) -> Iterator[Ask]:
    """Asks a function, by its folder's name, in a container that stays for the next event."""
    everything = deployed_functions.all_of(stack.clients(), stack.require_up().environment)
    logical_ids = {function.folder: function.logical_id for function in everything}
    port = free_port()
    with (
        sam_local(place, docker.engine, docker.image, everything) as (sam, _),
        sam.start("start-lambda", ["--host", "127.0.0.1", "--port", str(port), "--warm-containers", "LAZY"]),
    ):
        _wait_for(port)
        yield lambda folder, payload: _invoke(port, logical_ids[folder], payload)


@pytest.mark.parametrize("event", golden_events.golden_events(), ids=str)
def test_the_answer_is_the_expected_one(event: GoldenEvent, ask: Ask, preparing: EventPreparer) -> None:
    variables = preparing.prepare(event)
    payload = json.dumps(golden_events.fill(event, variables)).encode()

    answer = ask(event.function, payload)

    check(event, answer, variables)


def _invoke(port: int, logical_id: str, payload: bytes) -> Json:
    url = f"http://127.0.0.1:{port}/2015-03-31/functions/{logical_id}/invocations"
    with urllib.request.urlopen(urllib.request.Request(url, payload), timeout=_ANSWER_SECONDS) as response:  # http
        return json.loads(response.read())


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _STARTING_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < deadline, f"`sam local start-lambda` did not listen after {_STARTING_SECONDS} s"
            time.sleep(0.2)
