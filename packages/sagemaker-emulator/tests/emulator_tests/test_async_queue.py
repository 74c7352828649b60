"""What becomes of requests that wait: capacity, order, time to live, restarts, updates, deletions."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from emulator_tests.asynchronous import Accepted, answered, async_config, async_endpoint, invoke, read
from emulator_tests.support import Api, Json, wait_until
from sagemaker_emulator.async_inference.queue import Accepted as Request
from sagemaker_emulator.async_inference.queue import RequestQueue
from sagemaker_emulator.aws import Aws


def scale(api: Api, endpoint: str, instances: int) -> None:
    desired = [{"VariantName": "v1", "DesiredInstanceCount": instances}]
    api.ok("UpdateEndpointWeightsAndCapacities", EndpointName=endpoint, DesiredWeightsAndCapacities=desired)


def in_queue(api: Api, endpoint: str) -> int:
    with closing(sqlite3.connect(api.home / "async-inference.db")) as connection:
        count: int = connection.execute("SELECT COUNT(*) FROM requests WHERE endpoint = ?", (endpoint,)).fetchone()[0]
    return count


def settled_on(api: Api, endpoint: str, config: str) -> Json | None:
    found = api.settled_endpoint(endpoint)
    return found if found and found["EndpointConfigName"] == config else None


def gone(api: Api, endpoint: str) -> bool | None:
    return endpoint not in [found["EndpointName"] for found in api.ok("ListEndpoints", MaxResults=100)["Endpoints"]] or None


@pytest.mark.parametrize("at_once", [1, 3])
def test_an_instance_has_no_more_requests_at_once_than_the_config_says(api: Api, aws: Aws, at_once: int) -> None:
    client = {"MaxConcurrentInvocationsPerInstance": at_once}
    endpoint = async_endpoint(api, aws, f"at-once-{at_once}", "busy", ClientConfig=client)

    accepted = [invoke(api, endpoint, b"1") for _ in range(6)]

    assert max(int(answered(aws, request.output)) for request in accepted) == at_once
    wait_until(lambda: in_queue(api, endpoint) == 0 or None)


def test_accepted_requests_outlive_the_service_and_wait_for_an_instance(start: Callable[[], Api], aws: Aws) -> None:
    api = start()
    async_endpoint(api, aws, "restarted", "good")
    scale(api, "restarted", 0)
    accepted = [invoke(api, "restarted", body) for body in (b"1", b"2")]

    api = start()
    wait_until(lambda: api.settled_endpoint("restarted"))
    # It has no instance after the restart either, and what is accepted meanwhile comes last.
    accepted.append(invoke(api, "restarted", b"3"))
    assert read(aws, accepted[0].output) is None
    assert in_queue(api, "restarted") == 3
    scale(api, "restarted", 1)

    assert [answered(aws, request.output) for request in accepted] == [b"good:1", b"good:2", b"good:3"]
    wait_until(lambda: in_queue(api, "restarted") == 0 or None)


def test_an_invocation_that_ends_with_the_service_is_made_again_by_the_next(
    start: Callable[[], Api], aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sagemaker_emulator.hosting.deployments._SHUT_DOWN_SECONDS", 0.1)
    api = start()
    accepted = invoke(api, async_endpoint(api, aws, "interrupted", "hang-once"), b"1")
    wait_until(lambda: next(api.home.glob("endpoints/interrupted/*/asked"), None))

    start()

    assert answered(aws, accepted.output) == b"hang-once:1"
    assert read(aws, accepted.failure) is None


@pytest.fixture(scope="module")
def running(start: Callable[[], Api]) -> Api:
    """The service after its last restart."""
    return start()


def waiting(api: Api, aws: Aws, name: str) -> Accepted:
    """A request in the queue of an endpoint that has no instance."""
    async_endpoint(api, aws, name, "good")
    scale(api, name, 0)
    return invoke(api, name, b"1")


def test_what_has_waited_for_longer_than_its_time_to_live_has_failed(running: Api, aws: Aws) -> None:
    accepted = waiting(running, aws, "expiring")

    # As if RequestTTLSeconds, which is at least a minute, had passed.
    with closing(sqlite3.connect(running.home / "async-inference.db")) as connection, connection:
        connection.execute("UPDATE requests SET expires = 0 WHERE endpoint = 'expiring'")

    assert b"The request has expired: it has waited for longer than 21600 seconds." in answered(aws, accepted.failure)
    wait_until(lambda: in_queue(running, "expiring") == 0 or None)


def test_an_update_answers_what_waited_for_the_variant_before(running: Api, aws: Aws) -> None:
    accepted = waiting(running, aws, "updated")
    config = async_config(running, aws, "next", "better", variant="v2")

    running.ok("UpdateEndpoint", EndpointName="updated", EndpointConfigName=config)

    assert answered(aws, accepted.output) == b"better:1"
    assert wait_until(partial(settled_on, running, "updated", "next"))["ProductionVariants"][0]["VariantName"] == "v2"


def test_what_waits_for_an_endpoint_goes_with_it(running: Api, aws: Aws) -> None:
    accepted = waiting(running, aws, "deleted")

    running.ok("DeleteEndpoint", EndpointName="deleted")
    wait_until(lambda: gone(running, "deleted"))
    running.endpoint_in_service("deleted", "deleted")

    later = invoke(running, "deleted", b"2")
    assert answered(aws, later.output) == b"good:2"
    assert read(aws, accepted.output) is None
    wait_until(lambda: in_queue(running, "deleted") == 0 or None)


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Callable[[], RequestQueue]]:
    """Opens the queue; called again, as after a SIGKILL: nobody has closed it."""
    opened: list[RequestQueue] = []

    def again() -> RequestQueue:
        opened.append(RequestQueue(tmp_path / "queue.db"))
        return opened[-1]

    yield again
    for one in opened:
        one.close()


def request(inference_id: str, variant: str = "v1", received: float = 0.0) -> Request:
    return Request("e", 1.0, variant, received, 60, 900, inference_id, "s3://b/out", payload=b"\0\xff")


def test_an_invocation_that_was_on_its_way_when_the_service_died_is_made_again(queue: Callable[[], RequestQueue]) -> None:
    first = queue()
    first.add(request("a"))
    first.add(request("b"))
    assert first.take("e", "v1") is not None

    again = queue().take("e", "v1")

    assert again is not None
    assert again.request == request("a")


def test_a_request_is_taken_once_and_comes_back_in_its_place(queue: Callable[[], RequestQueue]) -> None:
    requests = queue()
    for name in "abc":
        requests.add(request(name))

    taken = [requests.take("e", "v1") for _ in range(4)]
    assert [item.request.inference_id for item in taken if item] == ["a", "b", "c"]
    assert taken[0]
    assert taken[1]
    requests.give_back(taken[1].number)
    requests.give_back(taken[0].number)
    requests.add(request("d"))

    returned = requests.take("e", "v1")
    assert returned is not None
    assert returned.request.inference_id == "a"
    requests.remove(returned.number)
    assert [(backlog.endpoint, backlog.size) for backlog in requests.backlogs()] == [("e", 3)]
