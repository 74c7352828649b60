"""What InvokeEndpoint has to know of an endpoint, without reading it anew for each request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sagemaker_emulator.errors import ServiceError
from sagemaker_emulator.store import Document, Store


@dataclass(frozen=True)
class Description:
    """An endpoint's document, None where there is no such endpoint, and its tags. Nobody changes them."""

    document: Document | None
    tags: Mapping[str, str]


class Descriptions:
    """Documents of a kind with their tags, as of the last change of the store. May be used by several threads."""

    def __init__(self, store: Store, kind: str) -> None:
        self._store = store
        self._kind = kind
        self._known: dict[str, tuple[int, Description]] = {}

    def at_hand(self, name: str) -> Description | None:
        """None where the store has to be read, which may have to wait for somebody who changes it."""
        changes, found = self._known.get(name, (-1, None))
        return found if changes == self._store.changes else None

    def read(self, name: str, arn: str) -> Description:
        # Counted before it is read: what changes meanwhile makes this one old.
        changes = self._store.changes
        found = Description(self._store.get(self._kind, name), self._store.tags(arn))
        if found.document is None:
            self._known.pop(name, None)
        else:
            self._known[name] = (changes, found)
        return found


def answering(document: Document | None, name: str, account: str) -> Document:
    """The document of an endpoint that can be asked; raises ValidationError where there is none of this name, in these letters,
    or it is still being created, or deleted."""
    if (
        document is None
        or document["EndpointName"] != name
        or document["EndpointStatus"] in ("Creating", "Deleting")
        or not document.get("ProductionVariants")
    ):
        raise ServiceError("ValidationError", f"Endpoint {name} of account {account} not found.")
    return document
