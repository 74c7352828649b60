"""Whether a request's body is the one that was signed, while it passes."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Protocol

from sagemaker_emulator.guard.refusals import Reason, Refusal


class BodyCheck(Protocol):
    """Is fed a body piece by piece. Until ``end`` has passed, the last piece is not handed on."""

    @property
    def ready(self) -> bool:
        """Whether what was fed may be handed on already; otherwise it is held until it may, at the latest at the end."""

    def feed(self, data: bytes) -> Refusal | None: ...

    def end(self) -> Refusal | None: ...


class AnyBody:
    """What was not signed."""

    ready = True

    def feed(self, data: bytes) -> Refusal | None:
        return None

    def end(self) -> Refusal | None:
        return None


class WholeBody:
    """A body whose hash is part of what was signed: nothing is known before its end."""

    ready = False

    def __init__(self, verify: Callable[[str], Refusal | None]) -> None:
        self._verify = verify
        self._hash = hashlib.sha256()

    def feed(self, data: bytes) -> Refusal | None:
        self._hash.update(data)
        return None

    def end(self) -> Refusal | None:
        return self._verify(self._hash.hexdigest())


class DeclaredBody:
    """A body whose hash a signed header names."""

    ready = True

    def __init__(self, expected: str) -> None:
        self._expected = expected
        self._hash = hashlib.sha256()

    def feed(self, data: bytes) -> Refusal | None:
        self._hash.update(data)
        return None

    def end(self) -> Refusal | None:
        if hmac.compare_digest(self._hash.hexdigest(), self._expected):
            return None
        return Refusal(Reason.BODY, "The provided 'x-amz-content-sha256' header does not match what was computed.")
