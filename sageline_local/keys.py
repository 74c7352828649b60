"""The root user's key of one stack: its secret is random, and who knows it may do everything in that stack and in no other."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field

from sageline_local.home import Home

ROOT_KEY_ID = "test"
"""MiniStack's root user."""


@dataclass(frozen=True)
class RootKey:
    secret: str = field(repr=False)

    @property
    def variables(self) -> dict[str, str]:
        """Where AWS's tools look for credentials."""
        return {"AWS_ACCESS_KEY_ID": ROOT_KEY_ID, "AWS_SECRET_ACCESS_KEY": self.secret}


def read(home: Home) -> RootKey | None:
    """The key of a stack; None if it has none: it has never been up, or only with a version before there were any."""
    try:
        secret = home.secret_file.read_text().strip()
    except FileNotFoundError:
        return None
    return RootKey(secret) if secret else None


def make(home: Home) -> RootKey:
    """The key of a stack, made the first time. Only the owner of the home may read it."""
    found = read(home)
    if found is None:
        found = RootKey(secrets.token_hex(20))
        temporary = home.secret_file.with_suffix(".tmp")
        temporary.unlink(missing_ok=True)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(found.secret)
        temporary.replace(home.secret_file)
    home.secret_file.chmod(0o600)
    return found
