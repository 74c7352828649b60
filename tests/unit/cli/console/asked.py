"""A browser's requests to the console, without a server between."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from starlette.types import ASGIApp


class Page:
    """Addresses begin after the token: ``page.get("runs/…")``."""

    def __init__(self, app: ASGIApp, url: str) -> None:
        self._app, self._url = app, url

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:  # Any: what httpx takes
        async def answer() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=self._url) as client:
                return await client.request(method, path, **options)

        return asyncio.run(answer())

    def get(self, path: str, **options: Any) -> httpx.Response:  # Any: what httpx takes
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:  # Any: what httpx takes
        return self.request("POST", path, **options)
