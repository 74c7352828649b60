"""A run as the API shows it, and a fake of the HTTP API."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import httpx
from botocore.credentials import Credentials

from sageline.aws.http import RETRY_AFTER_SECONDS
from sageline_cli.api_client import ApiClient, SigV4

Respond: TypeAlias = Callable[[httpx.Request], tuple[int, object]]
"""From a request to the status and body of its answer."""

BUCKET = "sageline-bucket"
RUN_ID = "wine-20261120100000-abc123"


SCHEMA: dict[str, Any] = {
    "label": "price",
    "task": "regression",
    "why": "the last column",
    "features": {"area": "number", "city": "category"},
    "kinds": {"number": 1, "category": 1},
    "left_out": {"id": "it numbers the rows", "when": "it holds dates", "since": "it holds dates"},
    "left_out_in_all": 3,
    "notes": ["The numbers of 'area' are read with a decimal comma (1,5 is 1.5)."],
    "warnings": ["Column 'id' alone tells the label."],
}
"""What a run's record says of its data."""


def run_record(**changes: Any) -> dict[str, Any]:  # any JSON value
    """A run that went well, or as ``changes`` say."""
    return {
        "run_id": RUN_ID,
        "name": "wine",
        "execution_arn": "arn:aws:states:us-east-1:123456789012:execution:pipeline:abc",
        "status": "Succeeded",
        "state": "PromoteVariant",
        "created_at": "2026-11-20T10:00:00.000Z",
        "updated_at": "2026-11-20T10:00:24.000Z",
        "endpoint_name": "wine",
        "dataset_uri": f"s3://{BUCKET}/datasets/wine/data.csv",
        "details": {},
        "error": None,
        **changes,
    }


@dataclass
class FakeApi:
    """Answers requests from a table of routes, and remembers them."""

    routes: dict[tuple[str, str], Respond] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)

    def answer(self, method: str, path: str, body: object, status: int = 200) -> None:
        self.routes[method, path] = lambda request: (status, body)

    def fail(self, method: str, path: str, status: int, code: str, message: str) -> None:
        self.answer(method, path, {"error": {"code": code, "message": message, "details": {}}}, status)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        respond = self.routes.get((request.method, request.url.path))
        status, body = respond(request) if respond else (404, {"message": "Not Found"})
        is_ours = isinstance(body, dict) and "error" in body  # API Gateway's own answers come without the header
        headers = {"retry-after": str(RETRY_AFTER_SECONDS[status])} if is_ours and status in RETRY_AFTER_SECONDS else None
        return httpx.Response(status, headers=headers, content=body if isinstance(body, bytes) else json.dumps(body).encode())

    def client(self) -> ApiClient:
        auth = SigV4(Credentials("AKIDEXAMPLE", "secret", "a-session-token"), "us-east-1")
        return ApiClient("https://api.example", auth, httpx.MockTransport(self.handle))


class FakeStack:
    """Stands for the local stack, and notes what is done to it."""

    state = "down"
    refuses: Exception | None = None
    log: ClassVar[list[str]] = []

    @classmethod
    def reset(cls) -> None:
        cls.log, cls.state, cls.refuses = [], "down", None

    def __init__(self, home: Path, port: int | None) -> None:
        self.home = home

    def status(self) -> FakeStack:
        return self

    def up(self, progress: object) -> None:
        FakeStack.log.append("up")
        if FakeStack.refuses:
            raise FakeStack.refuses

    def down(self, progress: object) -> None:
        FakeStack.log.append("down")
