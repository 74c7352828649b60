"""Bodies that are signed chunk by chunk (``STREAMING-AWS4-HMAC-SHA256-PAYLOAD``), with or without a signed trailer.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
"""

from __future__ import annotations

import hashlib
import re

from sagemaker_emulator.guard.refusals import Reason, Refusal
from sagemaker_emulator.guard.signatures import Signer

PLAIN = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
WITH_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"

_EMPTY = hashlib.sha256(b"").hexdigest()
_LINE = re.compile(rb"([0-9a-fA-F]{1,8});chunk-signature=([0-9a-f]{64})")
_TRAILER = re.compile(rb"(?P<fields>(?:[^\r\n]+\r?\n)*?)x-amz-trailer-signature:(?P<value>[0-9a-f]{64})\r?\n(?:\r\n)?")
_LONGEST_LINE = 200
_LONGEST_TRAILER = 4096
_WRONG = Refusal(
    Reason.MISMATCH, "A chunk's signature does not match what was computed, or chunks are not written as they should be."
)


class ChunkedBody:
    """Each chunk's signature covers the one before it; the first covers the request's."""

    ready = True

    def __init__(self, signer: Signer, seed: str, *, trailer: bool) -> None:
        self._signer = signer
        self._previous = seed
        self._trailer = trailer
        self._buffer = bytearray()
        self._left: int | None = None
        """Bytes that the present chunk still has; None between chunks."""
        self._last = False
        self._hash = hashlib.sha256()
        self._signature = ""

    def feed(self, data: bytes) -> Refusal | None:
        self._buffer += data
        while not self._last:
            step = self._begin_chunk() if self._left is None else self._read_chunk()
            if isinstance(step, Refusal):
                return step
            if not step:
                return None
        return _WRONG if len(self._buffer) > _LONGEST_TRAILER else None

    def end(self) -> Refusal | None:
        rest = bytes(self._buffer)
        if not self._last:
            return _WRONG
        if not self._trailer:
            return None if rest in (b"", b"\r\n") else _WRONG
        found = _TRAILER.fullmatch(rest)
        if found is None:
            return _WRONG
        fields = found["fields"].replace(b"\r\n", b"\n")
        return (
            None
            if self._follows("AWS4-HMAC-SHA256-TRAILER", [hashlib.sha256(fields).hexdigest()], found["value"].decode())
            else _WRONG
        )

    def _begin_chunk(self) -> Refusal | bool:
        """Whether there was all of a chunk's first line."""
        end = self._buffer.find(b"\r\n")
        if end < 0:
            return _WRONG if len(self._buffer) > _LONGEST_LINE else False
        found = _LINE.fullmatch(bytes(self._buffer[:end]))
        if found is None:
            return _WRONG
        del self._buffer[: end + 2]
        self._left, self._signature, self._hash = int(found[1], 16), found[2].decode(), hashlib.sha256()
        if self._left == 0:
            self._last = True
            return True if self._chunk_is_signed() else _WRONG
        return True

    def _read_chunk(self) -> Refusal | bool:
        """Whether the chunk is at its end."""
        piece = bytes(self._buffer[: self._left])
        self._hash.update(piece)
        self._left = (self._left or 0) - len(piece)
        del self._buffer[: len(piece)]
        if self._left or len(self._buffer) < 2:
            return False
        if self._buffer[:2] != b"\r\n" or not self._chunk_is_signed():
            return _WRONG
        del self._buffer[:2]
        self._left = None
        return True

    def _chunk_is_signed(self) -> bool:
        return self._follows("AWS4-HMAC-SHA256-PAYLOAD", [_EMPTY, self._hash.hexdigest()], self._signature)

    def _follows(self, kind: str, hashes: list[str], value: str) -> bool:
        scope = self._signer.scope
        signed = self._signer.signs("\n".join([kind, scope.timestamp, scope.text(), self._previous, *hashes]), value)
        self._previous = value
        return signed
