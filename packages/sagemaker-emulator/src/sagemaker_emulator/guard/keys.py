"""The keys of a guarded set of servers: a root key with a secret, and temporary keys whose secrets come from it.

So every server that knows the root's secret knows theirs, and nobody else can compute them.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping

_TEMPORARY = re.compile(r"ASIA[0-9A-F]{16}")


def derived_secret(root_secret: str, access_key_id: str) -> str:
    """The secret of a temporary key."""
    return _derived(root_secret, "secret", access_key_id)


def derived_token(root_secret: str, access_key_id: str) -> str:
    """The session token of a temporary key."""
    return _derived(root_secret, "token", access_key_id)


def secrets_of(root_id: str, root_secret: str) -> Callable[[str], str | None]:
    """From an access key id to its secret: the root's, and those of temporary keys."""

    def secret_of(access_key_id: str) -> str | None:
        if access_key_id == root_id:
            return root_secret
        return derived_secret(root_secret, access_key_id) if _TEMPORARY.fullmatch(access_key_id) else None

    return secret_of


def root_of(environment: Mapping[str, str]) -> tuple[str, str]:
    """The root's id and secret, where AWS's tools look for credentials.

    Raises:
        ValueError: they are not there.
    """
    root_id, secret = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
    if not root_id or not secret:
        raise ValueError("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set: requests are verified with them.")
    return root_id, secret


def _derived(root_secret: str, kind: str, access_key_id: str) -> str:
    return hmac.new(root_secret.encode(), f"{kind}:{access_key_id}".encode(), hashlib.sha256).hexdigest()
