"""What pages send: small forms, read whole before a page is made in a thread of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from sageline_cli.errors import CommandFailed

Form: TypeAlias = dict[str, str]
"""Names of fields to what they hold."""

_MOST_BYTES, _MOST_FIELDS = 1 << 20, 2_000


def with_form(page: Callable[[Request, Form], Response]) -> Callable[[Request], Awaitable[Response]]:
    """A page that is given the form of the request (``application/x-www-form-urlencoded``)."""

    async def answer(request: Request) -> Response:
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > _MOST_BYTES:
                raise CommandFailed(f"The form has more than {_MOST_BYTES:,} bytes.", "InvalidRequest")
        fields = parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        return await run_in_threadpool(page, request, dict(fields))

    return answer


def whole_number(form: Form, name: str) -> int:
    """A field that must be a number from 0 on; -1 where it is none."""
    text = form.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else -1
