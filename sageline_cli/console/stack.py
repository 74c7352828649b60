"""What the console's pages work with: the clients of a stack, made anew when the stack comes back."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sageline_cli.connection import Connection


class StackAccess:
    """The connection to a stack. A stack that was down when the console began, or went down since, is looked for again.

    Pages run side by side in threads; boto3's clients and httpx's may be shared by them.
    """

    def __init__(self, name: str, connect: Callable[[], Connection]) -> None:
        """``name``: the stack as a person calls it. ``connect`` raises CommandFailed or StackNotUp while it is not there."""
        self.name = name
        self._connect, self._lock = connect, threading.Lock()
        self._connection: Connection | None = None

    def get(self) -> Connection:
        """The connection.

        Raises:
            CommandFailed, StackNotUp: the stack is not there, or not up; the message says how to start it.
        """
        with self._lock:
            if self._connection is None:
                self._connection = self._connect()
            return self._connection

    def forget(self) -> None:
        """The stack did not answer: the next page looks for it again, as it may be up with other addresses and keys."""
        with self._lock:
            self._connection = None
