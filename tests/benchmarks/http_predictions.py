"""What a prediction costs over HTTP beside the bare ``invoke_endpoint``: ``python -m tests.benchmarks.http_predictions``.

On a local stack of its own: the request goes through MiniStack's HTTP API, with IAM, to the function, which encodes the row, asks
the endpoint in the emulator, and decodes the answer. Beside it the endpoint alone, asked with the encoded body. A third request
is one that the function refuses at once: it costs what API Gateway and Lambda cost here, which is MiniStack's and not Sageline's.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import httpx
from botocore.credentials import Credentials
from rich.console import Console

from sageline.json_objects import Json
from sageline.runs.routing_store import RoutingStore
from sageline.serving.stored import EncoderCache
from sageline_client import SigV4
from sageline_local.stack import LocalStack
from tests.benchmarks import load
from tests.benchmarks.report import terminal_table
from tests.benchmarks.results import SAGELINE, Result
from tests.benchmarks.sizes import FULL, Sizes
from tests.benchmarks.written import as_boto3_sends, written
from tests.ports import free_port
from tests.workflow.workbench import Workbench, flowers

INVOKE = "invoke_endpoint, encoded body"
REFUSED = "a refused request"

_ENDPOINT = "measured"
_ROW = {"length": 5.0, "width": 1.5, "ground": "wet"}
_SPEC: Json = {
    "algorithm": {"name": "xgboost", "hyperparameters": {"num_round": 50}},
    "deployment": {"endpoint": _ENDPOINT, "instances": {}},
}
_UNLIMITED = {"ThrottlingRateLimit": "100000", "ThrottlingBurstLimit": "100000"}
_NOTE = (
    f"One row of two numbers and a category, to XGBoost. `{INVOKE}` is signed by boto3 and sent to the emulator. `{REFUSED}` has "
    "a body that is no JSON: what MiniStack's HTTP API, its IAM and its worker of the function take without a prediction. "
    "MiniStack has a process of the function for each request that is under way."
)


@dataclass(frozen=True)
class Asked:
    """A port of 127.0.0.1, a request as it is sent there, and the status of its answer."""

    port: int
    request: bytes
    status: int = 200


def run(sizes: Sizes) -> Iterator[Result]:
    with tempfile.TemporaryDirectory() as directory:
        stack = LocalStack(Path(directory) / "stack", free_port())
        stack.up(parameters=_UNLIMITED)
        try:
            asked = _asked(stack, Path(directory))
            for clients in sizes.clients:
                yield from _results(asked, clients, sizes)
        finally:
            stack.down(delete=True)


def _asked(stack: LocalStack, directory: Path) -> dict[str, Asked]:
    """The requests, to an endpoint that is deployed for them."""
    workbench = Workbench.on(stack, directory)
    ended = workbench.wait(workbench.submit(_ENDPOINT, flowers(), _SPEC).run_id)
    if ended["status"] != "Succeeded":
        raise RuntimeError(f"The run for the benchmark has not succeeded: {ended['error']}")
    body = json.dumps({"instances": [_ROW]}).encode()
    return {
        SAGELINE: _by_http(stack, body, 200),
        INVOKE: _by_boto3(stack, workbench),
        REFUSED: _by_http(stack, body[:-1], 400),
    }


def _by_http(stack: LocalStack, body: bytes, status: int) -> Asked:
    variables = stack.environment()
    url = f"{variables['SAGELINE_API_URL'].rstrip('/')}/endpoints/{_ENDPOINT}/predictions"
    request = httpx.Request("POST", url, content=body, headers={"content-type": "application/json"})
    credentials = Credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    signed = next(SigV4(credentials, variables["AWS_DEFAULT_REGION"]).sync_auth_flow(request))
    return Asked(request.url.port or 0, written(request.url.raw_path.decode(), signed.headers, body), status)


def _by_boto3(stack: LocalStack, workbench: Workbench) -> Asked:
    connection = workbench.connection
    variant = RoutingStore(connection.s3, connection.bucket).get(_ENDPOINT).intact().champion
    encoder = EncoderCache(connection.s3).get(variant.encoder_uri)
    request = as_boto3_sends(
        workbench.runtime,
        {
            "EndpointName": _ENDPOINT,
            "ContentType": encoder.exchange.request_content_type,
            "Accept": encoder.exchange.accept,
            "Body": encoder.body_of([_ROW]),
        },
    )
    return Asked(urlsplit(stack.require_up().sagemaker_url or "").port or 0, request)


def _results(asked: Mapping[str, Asked], clients: int, sizes: Sizes) -> Iterator[Result]:
    # Processes of the function are started in the first round, which is not counted.
    _measured(asked, clients, sizes.http_requests, rounds=1)
    taken = _measured(asked, clients, sizes.http_requests, rounds=sizes.rounds)
    title, limits = f"a prediction over HTTP, {clients} client{'s' * (clients > 1)}", (INVOKE, REFUSED)
    yield Result(
        job=f"http_predictions_{clients}",
        title=title,
        unit="requests/s",
        samples={who: [round_.per_second for round_ in rounds] for who, rounds in taken.items()},
        limits=limits,
        note=_NOTE,
    )
    for name, said in (("milliseconds", "median"), ("p95", "95th percentile"), ("p99", "99th percentile")):
        times = {who: [float(getattr(round_, name)) for round_ in rounds] for who, rounds in taken.items()}
        own = median(times[SAGELINE]) - median(times[INVOKE]) - median(times[REFUSED])
        yield Result(
            job=f"http_predictions_{clients}_{'p50' if name == 'milliseconds' else name}",
            title=f"{title}, {said} of {sizes.http_requests}",
            unit="ms",
            samples=times,
            limits=limits,
            note=_own_part(own) if name == "milliseconds" and clients == 1 else _NOTE,
        )


def _own_part(milliseconds: float) -> str:
    return (
        f"Without `{INVOKE}` and `{REFUSED}` {milliseconds:.1f} ms are left for Sageline: reading the request, encoding, asking "
        "the endpoint by boto3, decoding. Where more clients ask than there are cores, they wait for the processor above all."
    )


def _measured(asked: Mapping[str, Asked], clients: int, count: int, rounds: int) -> dict[str, list[load.Taken]]:
    """What each took in each round; they take turns in beginning one."""
    taken: dict[str, list[load.Taken]] = {name: [] for name in asked}
    for number in range(rounds):
        for name in list(asked)[:: -1 if number % 2 else 1]:
            one = asked[name]
            taken[name].append(load.measure(one.port, one.request, connections=clients, count=count, status=one.status))
    return taken


if __name__ == "__main__":
    Console(width=150).print(terminal_table(list(run(FULL))))
