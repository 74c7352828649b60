"""What is remembered of an endpoint holds until something changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sagemaker_emulator.hosting.descriptions import Descriptions
from sagemaker_emulator.store import Store

ARN = "arn:wine"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store.db")
    store.insert("endpoint", "wine", {"EndpointStatus": "InService"})
    store.add_tags(ARN, {"stack": "mine"})
    return store


def test_an_endpoint_is_read_once(store: Store) -> None:
    endpoints = Descriptions(store, "endpoint")
    assert endpoints.at_hand("wine") is None

    read = endpoints.read("wine", ARN)

    assert (read.document, read.tags) == ({"EndpointStatus": "InService"}, {"stack": "mine"})
    assert endpoints.at_hand("wine") is read


@pytest.mark.parametrize(
    "change",
    [
        lambda store: store.update("endpoint", "wine", lambda document: document.update(EndpointStatus="Updating")),
        lambda store: store.delete("endpoint", "wine", ARN),
        lambda store: store.add_tags(ARN, {"stack": "yours"}),
        lambda store: store.delete_tags(ARN, ["stack"]),
        lambda store: store.insert("endpoint", "beer", {}),
    ],
    ids=["a new status", "its deletion", "another tag", "no tag", "another endpoint"],
)
def test_a_change_makes_it_be_read_again(store: Store, change: Callable[[Store], object]) -> None:
    endpoints = Descriptions(store, "endpoint")
    endpoints.read("wine", ARN)

    change(store)

    assert endpoints.at_hand("wine") is None
    now = endpoints.read("wine", ARN)
    assert (now.document, now.tags) == (store.get("endpoint", "wine"), store.tags(ARN))


def test_a_change_while_it_is_read_makes_it_be_read_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoints = Descriptions(store, "endpoint")
    tags = store.tags

    def tags_before_a_change(arn: str) -> dict[str, str]:
        found = tags(arn)
        store.delete_tags(arn, ["stack"])
        return found

    monkeypatch.setattr(store, "tags", tags_before_a_change)
    endpoints.read("wine", ARN)

    assert endpoints.at_hand("wine") is None


def test_what_does_not_exist_is_looked_for_each_time(store: Store) -> None:
    endpoints = Descriptions(store, "endpoint")

    assert endpoints.read("beer", "arn:beer").document is None
    assert endpoints.at_hand("beer") is None
