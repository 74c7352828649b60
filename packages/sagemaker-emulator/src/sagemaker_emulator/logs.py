"""Log lines on their way to CloudWatch Logs, in batches, as they come."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from sagemaker_emulator.aws import Aws

logger = logging.getLogger(__name__)

_FLUSH_SECONDS = 0.5
# PutLogEvents takes 10,000 events and 1,048,576 bytes at once, 26 bytes counted for each event.
_BATCH_EVENTS = 1000
_BATCH_BYTES = 900_000
_LINE_BYTES = 200_000


@dataclass
class _Stream:
    group: str
    name: str
    lines: list[tuple[int, str]] = field(default_factory=list)
    created: bool = False


class LogShipper:
    """Collects the lines of every stream; one thread sends them."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
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
            if not stream.created:
                self._create(stream)
                stream.created = True
            for batch in _batches(lines):
                self._aws.logs.put_log_events(
                    logGroupName=stream.group,
                    logStreamName=stream.name,
                    logEvents=[{"timestamp": at, "message": message} for at, message in batch],
                )
        except (BotoCoreError, ClientError, OSError) as error:
            logger.warning("%d log lines of %s/%s were not sent: %s", len(lines), stream.group, stream.name, error)

    def _create(self, stream: _Stream) -> None:
        exists = self._aws.logs.exceptions.ResourceAlreadyExistsException
        with contextlib.suppress(exists):
            self._aws.logs.create_log_group(logGroupName=stream.group)
        with contextlib.suppress(exists):
            self._aws.logs.create_log_stream(logGroupName=stream.group, logStreamName=stream.name)


def _batches(lines: list[tuple[int, str]]) -> list[list[tuple[int, str]]]:
    batches: list[list[tuple[int, str]]] = []
    size = _BATCH_BYTES
    for at, line in lines:
        size += len(line.encode()) + 26
        if size > _BATCH_BYTES or len(batches[-1]) >= _BATCH_EVENTS:
            batches.append([])
            size = len(line.encode()) + 26
        batches[-1].append((at, line))
    return batches
