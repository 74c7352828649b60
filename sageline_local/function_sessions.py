"""The keys of functions that MiniStack has not started: it would take them for unknown.

MiniStack 1.5.33 registers a function's key when it starts a process of the function. Its code may run elsewhere, by hand.
"""

from __future__ import annotations

from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc, sts

Session = dict[str, Any]  # MiniStack's


def install() -> None:
    """Have MiniStack register every function's key when it looks for one that it does not know."""
    sts._sessions = _Sessions(sts._sessions)


class _Sessions(dict[str, Session]):
    """MiniStack's sessions, by access key."""

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or (_is_temporary(key) and self._registered(key))

    def get(self, key: str, default: Any = None) -> Any:  # Any: as dict has it
        return super().get(key, default) if key in self else default

    def _registered(self, key: object) -> bool:
        for function in lambda_svc._functions.all_values():
            lambda_runtime.execution_credentials(function["config"])
        return super().__contains__(key)


def _is_temporary(key: object) -> bool:
    return isinstance(key, str) and key.startswith("ASIA")
