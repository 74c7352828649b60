"""A training job's directory and a client of a serving application, for the tests of first-party algorithms."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
from starlette.applications import Starlette

from emulator_tests.support import served

CSV, RECORDIO = "text/csv", "application/x-recordio-protobuf"


def job_directory(
    root: Path,
    hyperparameters: Mapping[str, str],
    channels: Mapping[str, bytes],
    *,
    content_type: str | None = CSV,
    distribution: str = "FullyReplicated",
    hosts: tuple[str, ...] = ("algo-1",),
) -> Path:
    """``root/<host>`` of the first host, laid out as ``/opt/ml``; a channel is one file."""
    entry = {"TrainingInputMode": "File", "S3DistributionType": distribution, "RecordWrapperType": "None"}
    entry |= {"ContentType": content_type} if content_type else {}
    for host in hosts:
        config = root / host / "input" / "config"
        for path in (config, root / host / "model", root / host / "output"):
            path.mkdir(parents=True)
        (config / "hyperparameters.json").write_text(json.dumps(dict(hyperparameters)))
        (config / "inputdataconfig.json").write_text(json.dumps(dict.fromkeys(channels, entry)))
        (config / "resourceconfig.json").write_text(json.dumps({"current_host": host, "hosts": list(hosts)}))
        for name, data in channels.items():
            directory = root / host / "input" / "data" / name
            directory.mkdir(parents=True)
            (directory / "part-0").write_bytes(data)
    return root / hosts[0]


@contextmanager
def posting(application: Starlette) -> Iterator[httpx.Client]:
    with served(application) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield client


def post(client: httpx.Client, body: bytes, content_type: str | None = CSV, accept: str | None = None) -> httpx.Response:
    headers = {"content-type": content_type, "accept": accept}
    sent = {name: value for name, value in headers.items() if value is not None}
    return client.post("/invocations", content=body, headers=sent)
