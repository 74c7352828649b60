"""Log lines on their way to CloudWatch Logs or to files, in batches, as they come."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

logger = logging.getLogger(__name__)

_FLUSH_SECONDS = 0.5
# PutLogEvents takes 10,000 events and 1,048,576 bytes at once, 26 bytes counted for each event.
_BATCH_EVENTS = 1000
_BATCH_BYTES = 900_000
_LINE_BYTES = 200_000

# Epoch milliseconds and what is said.
Line: TypeAlias = tuple[int, str]
# Takes the names of a group and a stream, and its next lines; raises botocore's errors and OSError.
Sink: TypeAlias = Callable[[str, str, list[Line]], None]


@dataclass
class _Stream:
    group: str
    name: str
    lines: list[Line] = field(default_factory=list)


class LogShipper:
    """Collects the lines of every stream; one thread sends them."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._streams: dict[tuple[str, str], _Stream] = {}
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._wanted = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="logs", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def write(self, group: str, stream: str, line: str) -> None:
        """Queue one line; CloudWatch Logs refuses empty messages."""
        if not line.strip():
            return
        with self._lock:
            entry = self._streams.setdefault((group, stream), _Stream(group, stream))
            entry.lines.append((int(time.time() * 1000), line[:_LINE_BYTES]))
        self._wanted.set()

    def flush(self) -> None:
        """Send everything that is queued now; lines that cannot be sent are dropped with a warning."""
        with self._sending:
            with self._lock:
                streams = [stream for stream in self._streams.values() if stream.lines]
            for stream in streams:
                self._send(stream)

    def close(self, group: str, stream: str) -> None:
        """Send the last lines of a stream and forget it."""
        self.flush()
        with self._lock:
            self._streams.pop((group, stream), None)

    def stop(self) -> None:
        self._stopped.set()
        self._wanted.set()
        self._thread.join(timeout=5)
        self.flush()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._wanted.wait()
            self._stopped.wait(_FLUSH_SECONDS)
            self._wanted.clear()
            self.flush()

    def _send(self, stream: _Stream) -> None:
        with self._lock:
            lines, stream.lines = stream.lines, []
        try:
            self._sink(stream.group, stream.name, lines)
        except (BotoCoreError, ClientError, OSError) as error:
            logger.warning("%d log lines of %s/%s were not sent: %s", len(lines), stream.group, stream.name, error)


class CloudWatchLogs:
    """A sink."""

    def __init__(self, logs: CloudWatchLogsClient) -> None:
        self._logs = logs
        self._created: set[tuple[str, str]] = set()

    def __call__(self, group: str, stream: str, lines: list[Line]) -> None:
        if (group, stream) not in self._created:
            exists = self._logs.exceptions.ResourceAlreadyExistsException
            with contextlib.suppress(exists):
                self._logs.create_log_group(logGroupName=group)
            with contextlib.suppress(exists):
                self._logs.create_log_stream(logGroupName=group, logStreamName=stream)
            self._created.add((group, stream))
        for batch in _batches(lines):
            self._logs.put_log_events(
                logGroupName=group,
                logStreamName=stream,
                logEvents=[{"timestamp": at, "message": message} for at, message in batch],
            )


class LogFiles:
    """A sink: one file for each stream, in folders named as the groups."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __call__(self, group: str, stream: str, lines: list[Line]) -> None:
        path = self._root / group.strip("/") / f"{stream}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            for at, message in lines:
                moment = datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
                file.write(f"{moment.removesuffix('+00:00')}Z {message}\n")


def _batches(lines: list[Line]) -> list[list[Line]]:
    batches: list[list[Line]] = []
    size = _BATCH_BYTES
    for at, line in lines:
        size += len(line.encode()) + 26
        if size > _BATCH_BYTES or len(batches[-1]) >= _BATCH_EVENTS:
            batches.append([])
            size = len(line.encode()) + 26
        batches[-1].append((at, line))
    return batches
