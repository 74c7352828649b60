"""Who may use the console: the browser to which its address was given, and no other page in it.

The address has a token as its first part (``http://127.0.0.1:8300/<token>/``) rather than a cookie: a cookie of 127.0.0.1 goes
to the servers on all of its ports. A page of another origin knows no token; besides, a foreign ``Host`` (a name of the Internet
that leads to this machine), a foreign ``Origin`` and what a browser says is sent by another site's page are refused.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OWN_PAGES = ("same-origin", "none")
"""``Sec-Fetch-Site`` of a request that the console's own page sends, and of an address that a person has opened."""


@dataclass(frozen=True)
class Address:
    """Where the console listens, on the loopback only."""

    port: int
    token: str

    @property
    def hosts(self) -> tuple[str, str]:
        return (f"127.0.0.1:{self.port}", f"localhost:{self.port}")

    @property
    def path(self) -> str:
        return f"/{self.token}"

    @property
    def url(self) -> str:
        """What to open."""
        return f"http://{self.hosts[0]}{self.path}/"


class Guard:
    """Stands before the application: what it refuses gets no further, and every answer says what a page may load."""

    def __init__(self, app: ASGIApp, address: Address, bucket_origin: str) -> None:
        """``bucket_origin``: where files are uploaded to, ``https://bucket.s3.region.amazonaws.com``."""
        self._app, self._address = app, address
        self._headers = _security_headers(bucket_origin)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *((n, v) for n, v in self._headers if n not in given)]
            await send(message)

        refused = self._refusal(scope)
        app = self._app if refused is None else PlainTextResponse(refused, 403)
        await app(scope, receive, guarded)

    def _refusal(self, scope: Scope) -> str | None:
        headers, path = Headers(scope=scope), str(scope["path"])
        host, origin = headers.get("host", ""), headers.get("origin")
        if host not in self._address.hosts:
            return f"This console is at {self._address.hosts[0]}, not at {host[:80]!r}.\n"
        if origin is not None and urlsplit(origin).netloc != host:
            return "Only the console's own pages may ask it.\n"
        if headers.get("sec-fetch-site", "none") not in _OWN_PAGES:
            return "Open the address that `sageline console` printed; a link of another page does not lead here.\n"
        token = path.split("/")[1] if path.startswith("/") else ""
        if not secrets.compare_digest(token.encode(), self._address.token.encode()):
            return "The address lacks the console's token: open the one that `sageline console` printed.\n"
        return None


def _security_headers(bucket_origin: str) -> list[tuple[bytes, bytes]]:
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self' {bucket_origin}; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    headers = {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        # Not even the console's own address may leave it: it holds the token.
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "no-store",
    }
    return [(name.encode(), value.encode()) for name, value in headers.items()]
