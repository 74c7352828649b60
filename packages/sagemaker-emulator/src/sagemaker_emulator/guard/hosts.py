"""Whether a request was meant for this server: its ``Host``, and the ``Origin`` of the page that sent it."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

from sagemaker_emulator.guard.refusals import Reason, Refusal
from sagemaker_emulator.guard.request import Request

_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?")


def foreign_host(request: Request) -> Refusal | None:
    """Refuse a host that is not this machine's loopback.

    A name of the Internet may be made to lead to 127.0.0.1 (DNS rebinding), and then its pages are of one origin with this
    server: their requests have that name as ``Host``.
    """
    host = request.header("host").lower()
    found = _HOST.fullmatch(host)
    if found is None or not _is_loopback(found["name"]):
        return Refusal(Reason.FOREIGN, f"This server answers on the loopback interface only, not as {host or 'no host'!r}.")
    return None


def foreign_page(request: Request) -> Refusal | None:
    """Refuse a page of another origin."""
    if not is_own_page(request):
        return Refusal(Reason.FOREIGN, f"Pages of {request.header('origin')!r} may not call this server.")
    return None


def is_own_page(request: Request) -> bool:
    """Whether no page sent the request, or one of this server."""
    return not request.has("origin") or request.header("origin") == f"http://{request.header('host').lower()}"


def is_page_of_this_machine(request: Request) -> bool:
    """Whether a server on the loopback has served the page that sent the request: ``http://127.0.0.1:8300``."""
    scheme, _, host = request.header("origin").lower().partition("://")
    found = _HOST.fullmatch(host)
    return scheme == "http" and found is not None and _is_loopback(found["name"])


def names_more(request: Request) -> bool:
    """Whether the host names a service or a bucket (``iam.localhost``), which a proof that does not cover it would not be for."""
    found = _HOST.fullmatch(request.header("host").lower())
    return found is None or found["name"].endswith(".localhost")


@lru_cache(maxsize=64)
def _is_loopback(name: str) -> bool:
    if name == "localhost" or (name.endswith(".localhost") and not name.startswith(".")):
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
