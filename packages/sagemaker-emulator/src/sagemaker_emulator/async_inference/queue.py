"""The accepted requests, in an SQLite file of their own: none is lost with the process, and one is gone once it was answered.

Invocations that are on their way when the service ends are made again by its next life, as a queue of AWS delivers at least once.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sagemaker_emulator.store import Document

_SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    endpoint TEXT NOT NULL, created REAL NOT NULL, variant TEXT NOT NULL,
    received REAL NOT NULL, expires REAL NOT NULL, taken INTEGER NOT NULL DEFAULT 0,
    body TEXT NOT NULL, payload BLOB
);
CREATE INDEX IF NOT EXISTS waiting ON requests (endpoint, variant, taken, number);
CREATE INDEX IF NOT EXISTS expiring ON requests (taken, expires);
CREATE INDEX IF NOT EXISTS backlog ON requests (endpoint, created, received);
"""

_OLDEST_OF_VARIANT = (
    "SELECT number, variant, body, payload FROM requests WHERE taken = 0 AND endpoint = ? AND variant = ? ORDER BY number LIMIT 1"
)
_OLDEST_EXPIRED = "SELECT number, variant, body, payload FROM requests WHERE taken = 0 AND expires <= ? ORDER BY number LIMIT 1"


@dataclass(frozen=True)
class Accepted:
    """A request as it was accepted; times are epoch seconds.

    ``created`` is the endpoint's CreationTime: another of the same name is another endpoint. The input is ``payload``, or else
    the object at ``input_location``.
    """

    endpoint: str
    created: float
    variant: str
    received: float
    ttl_seconds: int
    timeout_seconds: int
    inference_id: str
    output_location: str
    failure_location: str | None = None
    input_location: str | None = None
    content_type: str | None = None
    accept: str | None = None
    custom_attributes: str | None = None
    notification: Document = field(default_factory=dict)
    payload: bytes | None = None


@dataclass(frozen=True)
class Queued:
    """A request in the queue, by its number there."""

    number: int
    request: Accepted


@dataclass(frozen=True)
class Backlog:
    """What one endpoint has in the queue, waiting or being invoked."""

    endpoint: str
    created: float
    size: int
    oldest: float


class RequestQueue:
    """One connection, one lock; every change is committed before the call returns."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_SCHEMA)
        with self._transaction() as connection:
            connection.execute("UPDATE requests SET taken = 0")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._connection:
            yield self._connection

    def add(self, request: Accepted) -> None:
        body = asdict(request)
        payload = body.pop("payload")
        expires = request.received + request.ttl_seconds
        row = (request.endpoint, request.created, request.variant, request.received, expires, json.dumps(body), payload)
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO requests (endpoint, created, variant, received, expires, body, payload)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                row,
            )

    def take(self, endpoint: str, variant: str) -> Queued | None:
        """The oldest request that waits for a variant; nobody else gets it."""
        return self._take(_OLDEST_OF_VARIANT, (endpoint, variant))

    def take_expired(self, now: float) -> Queued | None:
        """One that has waited longer than its time to live."""
        return self._take(_OLDEST_EXPIRED, (now,))

    def _take(self, selection: str, values: tuple[object, ...]) -> Queued | None:
        with self._transaction() as connection:
            row = connection.execute(selection, values).fetchone()
            if row is None:
                return None
            connection.execute("UPDATE requests SET taken = 1 WHERE number = ?", (row[0],))
        number, variant, body, payload = row
        return Queued(number, Accepted(**{**json.loads(body), "variant": variant, "payload": payload}))

    def give_back(self, number: int) -> None:
        """It is the next to be taken again, before younger ones."""
        with self._transaction() as connection:
            connection.execute("UPDATE requests SET taken = 0 WHERE number = ?", (number,))

    def remove(self, number: int) -> None:
        with self._transaction() as connection:
            connection.execute("DELETE FROM requests WHERE number = ?", (number,))

    def drop(self, endpoint: str, created: float) -> int:
        """Forget what waits for an endpoint that is gone; returns how many there were."""
        with self._transaction() as connection:
            cursor = connection.execute(
                "DELETE FROM requests WHERE endpoint = ? AND created = ? AND taken = 0", (endpoint, created)
            )
            return cursor.rowcount

    def move(self, endpoint: str, present: set[str], to: str) -> None:
        """Hand what waits for variants that are not ``present`` any more to another."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE requests SET variant = ? WHERE endpoint = ? AND taken = 0 "
                "AND variant NOT IN (SELECT value FROM json_each(?))",
                (to, endpoint, json.dumps(sorted(present))),
            )

    def backlogs(self) -> list[Backlog]:
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT endpoint, created, COUNT(*), MIN(received) FROM requests GROUP BY endpoint, created"
            ).fetchall()
        return [Backlog(*row) for row in rows]

    def close(self) -> None:
        with self._lock:
            self._connection.close()
