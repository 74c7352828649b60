"""What the service remembers, in one SQLite file: documents by kind and name, and tags by ARN.

A document is what the Describe call returns (timestamps as epoch seconds, as JSON 1.1 carries them); keys that start
with an underscore are the service's own.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

Document: TypeAlias = dict[str, Any]  # JSON of many shapes, which the service model holds: Any by nature
Request: TypeAlias = Mapping[str, Any]  # as Document: a request, or a part of one, that has been checked against the model


def copied(request: Request, *names: str) -> Document:
    """The members of a request that Describe gives back unchanged."""
    return {name: request[name] for name in names if request.get(name) is not None}


_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (kind TEXT, key TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, key));
CREATE TABLE IF NOT EXISTS tags (arn TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY (arn, key));
"""


class Store:
    """One connection, one lock: every change is committed before the call returns."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.changes = 0
        """How often anything was changed: as long as it stays the same, what was read still holds."""
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_SCHEMA)

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Nobody else changes anything before the block is left: for what is done because of what is there."""
        with self._lock:
            yield

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._connection:
            yield self._connection

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            with self._connection:
                yield self._connection
            self.changes += 1

    def insert(self, kind: str, name: str, document: Document) -> bool:
        """False when the name is taken (names differ in more than case)."""
        with self._change() as connection:
            cursor = connection.execute(
                "INSERT OR IGNORE INTO documents VALUES (?, ?, ?)", (kind, name.lower(), json.dumps(document))
            )
            return cursor.rowcount == 1

    def get(self, kind: str, name: str) -> Document | None:
        with self._transaction() as connection:
            row = connection.execute("SELECT body FROM documents WHERE kind = ? AND key = ?", (kind, name.lower())).fetchone()
        return json.loads(row[0]) if row else None

    def update(self, kind: str, name: str, change: Callable[[Document], None]) -> Document | None:
        """Change a document in one step and return it; None when it is gone."""
        with self._change() as connection:
            document = self.get(kind, name)
            if document is not None:
                change(document)
                connection.execute(
                    "UPDATE documents SET body = ? WHERE kind = ? AND key = ?", (json.dumps(document), kind, name.lower())
                )
        return document

    def delete(self, kind: str, name: str, arn: str) -> None:
        """Remove a document and the tags of its ARN in one step: those of another of this name are not meant."""
        with self._change() as connection:
            connection.execute("DELETE FROM documents WHERE kind = ? AND key = ?", (kind, name.lower()))
            connection.execute("DELETE FROM tags WHERE arn = ?", (arn,))

    def documents(self, kind: str) -> list[Document]:
        with self._transaction() as connection:
            rows = connection.execute("SELECT body FROM documents WHERE kind = ?", (kind,)).fetchall()
        return [json.loads(body) for (body,) in rows]

    def tags(self, arn: str) -> dict[str, str]:
        with self._transaction() as connection:
            return dict(connection.execute("SELECT key, value FROM tags WHERE arn = ? ORDER BY key", (arn,)).fetchall())

    def add_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        with self._change() as connection:
            connection.executemany("INSERT OR REPLACE INTO tags VALUES (?, ?, ?)", [(arn, k, v) for k, v in tags.items()])

    def delete_tags(self, arn: str, keys: list[str]) -> None:
        with self._change() as connection:
            connection.executemany("DELETE FROM tags WHERE arn = ? AND key = ?", [(arn, key) for key in keys])

    def close(self) -> None:
        with self._lock:
            self._connection.close()
