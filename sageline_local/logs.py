"""The stack's logs: files of its servers, CloudWatch Logs of its functions."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sageline_local import functions, processes
from sageline_local.aws import LocalClients

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

_POLL_SECONDS = 0.5


def of_servers(files: Mapping[str, Path], lines: int, follow: bool) -> Iterator[str]:
    """The last lines of log files, each with the name before it; with ``follow``, then what is added, for ever."""
    ends = {name: file.stat().st_size if file.exists() else 0 for name, file in files.items()}
    for name, file in files.items():
        for line in processes.tail(file, lines).splitlines():
            yield f"{name:>9} | {line}"
    while follow:
        time.sleep(_POLL_SECONDS)
        for name, file in files.items():
            text, ends[name] = _added(file, ends[name])
            for line in text.splitlines():
                yield f"{name:>9} | {line}"


def of_function(clients: LocalClients, name: str, lines: int, follow: bool) -> Iterator[str]:
    """The last lines that a function has logged; with ``follow``, then what it logs, for ever.

    Args:
        name: as for ``functions.configuration``.

    Raises:
        FunctionUnknown: there is none of that name.
    """
    configuration = functions.configuration(clients, name)
    group = configuration.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{configuration['FunctionName']}"
    events = _events(clients.logs, group, 0)
    seen = set(events)
    yield from (_line(event) for event in events[-lines:])
    while follow:
        time.sleep(_POLL_SECONDS)
        since = max((timestamp for timestamp, _, _ in seen), default=0)
        new = [event for event in _events(clients.logs, group, since) if event not in seen]
        yield from (_line(event) for event in new)
        seen = {event for event in seen if event[0] >= since} | set(new)


def _added(file: Path, end: int) -> tuple[str, int]:
    """What was written to a file after a position, up to its last whole line, and where that ends."""
    if not file.exists():
        return "", 0
    with file.open("rb") as stream:
        stream.seek(end)
        whole = stream.read()
    whole = whole[: whole.rfind(b"\n") + 1]
    return whole.decode("utf-8", errors="replace"), end + len(whole)


def _events(client: CloudWatchLogsClient, group: str, since: int) -> list[tuple[int, str, str]]:
    """Timestamp (ms), stream and message of each event since then, in order."""
    pages = client.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since)
    events = [
        (event["timestamp"], event["logStreamName"], event["message"].rstrip()) for page in pages for event in page["events"]
    ]
    return sorted(events, key=lambda event: event[0])


def _line(event: tuple[int, str, str]) -> str:
    return f"{datetime.fromtimestamp(event[0] / 1000):%H:%M:%S.%f}"[:-3] + f" {event[2]}"
