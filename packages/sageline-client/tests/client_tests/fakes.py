"""An API that answers what it is told to, and a clock that only sleeping moves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx

from sageline_client import Retries, Sageline

URL = "https://api.example/stage"


@dataclass
class FakeApi:
    """Gives its answers one after the other, the last one again and again; notes what it was asked."""

    answers: list[httpx.Response | httpx.TransportError] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)

    def answer(self, body: object = None, status: int = 200, *, headers: dict[str, str] | None = None, text: str = "") -> None:
        if body is None:
            self.answers.append(httpx.Response(status, text=text, headers=headers))
        else:
            self.answers.append(httpx.Response(status, json=body, headers=headers))

    def refuse(self, status: int, code: str, message: str = "No.", retry_after: int | None = None, **details: object) -> None:
        headers = None if retry_after is None else {"retry-after": str(retry_after)}
        self.answer({"error": {"code": code, "message": message, "details": details}}, status, headers=headers)

    def fail(self, error: httpx.TransportError) -> None:
        self.answers.append(error)

    def handle(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, httpx.TransportError):
            raise answer
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

    def client(self, **options: Any) -> Sageline:  # of whatever is asked for
        return Sageline(**{"url": URL, "token": "a-token", "transport": httpx.MockTransport(self.handle), **options})

    def impatient(self) -> Sageline:
        return self.client(retries=Retries(0))


@dataclass
class Clock:
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def now(self) -> float:
        return sum(self.slept)
