"""Work in a second process, beside that of the first: with a process and a pipe alone, because Lambda has no shared memory."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np

from sageline.arrays.strings import ByteArray
from sageline.errors import ProcessDied
from sageline.preparation.freed_memory import FreedMemory, give_back
from sageline.preparation.packing import pack, unpack

_SECONDS_TO_END = 10


def usable_cores() -> int:
    """How many processes can work at the same time; 1 where processes are not forked safely (macOS)."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1


class ChannelClosed(Exception):
    """The process at the other end of a channel has ended."""


class ProcessChannel:
    """One end of a pipe between two processes: what is sent at one end is received at the other, in the same order."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._freed = FreedMemory()

    def send(self, value: object) -> None:
        """Raises ChannelClosed."""
        parts = pack(value)
        try:
            self._connection.send([len(part) for part in parts])
            for part in parts:
                at = 0
                while at < len(part):
                    at += os.write(self._connection.fileno(), part.data[at:])
        except (BrokenPipeError, ConnectionResetError):
            raise ChannelClosed from None

    def receive(self) -> Any:  # Any: what the other process has sent
        """Raises ChannelClosed."""
        self._freed.block_done()  # that was received before
        try:
            parts: list[ByteArray] = [np.empty(size, dtype=np.uint8) for size in self._connection.recv()]
            for part in parts:
                self._fill(part)
        except (EOFError, ConnectionResetError):
            raise ChannelClosed from None
        return unpack(parts)

    def _fill(self, part: ByteArray) -> None:
        # The connection itself would take memory for all that is missing, again for each of the many pieces in which it comes.
        at = 0
        while at < len(part):
            count = os.readv(self._connection.fileno(), [part.data[at:]])
            if count == 0:
                raise EOFError
            at += count

    def close(self) -> None:
        self._connection.close()


class _Failed(NamedTuple):
    error: BaseException
    trace: str


class SecondProcess:
    """A fork of this process that does some work, for as long as the ``with`` statement takes.

    It is forked and not started anew, so that the work finds in memory what it needs. Fork before starting threads: a lock that
    one of them held would never be free in the fork. The work may not use clients of AWS, whose connections are this process's.

    Args:
        work: takes the channel to this process, and ends when it has sent what it was for, or no more is to be received.
    """

    def __init__(self, work: Callable[[ProcessChannel], None]) -> None:
        give_back()  # or the fork would have it too, and each a copy as soon as it is used again
        context = multiprocessing.get_context("fork")
        here, there = context.Pipe()
        self._channel = ProcessChannel(here)
        self._process = context.Process(target=_run, args=(work, here, there), daemon=True)
        with warnings.catch_warnings():
            # Python 3.12 warns of threads; those that may be there, of numpy's algebra and of a test, hold no lock that is used.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process.start()
        there.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._channel.close()
        if error is None:
            self._process.join(_SECONDS_TO_END)
        self._process.kill()
        self._process.join()
        self._process.close()

    def send(self, value: object) -> None:
        """Raises as :meth:`receive`."""
        try:
            self._channel.send(value)
        except ChannelClosed:
            while True:  # until what it may have said of its end is raised
                self.receive()

    def receive(self) -> Any:  # Any: what the work has sent
        """The next value that the work sends.

        Raises:
            ProcessDied: the process has ended otherwise than by an error of the work.
            Exception: the work's own error, with a note of where it was raised.
        """
        try:
            received = self._channel.receive()
        except ChannelClosed:
            raise ProcessDied(self._how_it_ended()) from None
        if isinstance(received, _Failed):
            received.error.add_note(f"Raised in the second process:\n{received.trace}")
            raise received.error
        return received

    def _how_it_ended(self) -> str:
        self._process.join(_SECONDS_TO_END)
        code = self._process.exitcode
        if code is None:
            reason = "closed its pipe"
        elif code >= 0:
            reason = f"ended with exit code {code}"
        else:
            reason = f"was killed by signal {-code}"
            reason += ", as Linux does when the memory is used up" if -code == signal.SIGKILL else ""
        return f"The second process that prepares the data {reason}, before it was done."


def _run(work: Callable[[ProcessChannel], None], parents: Connection, connection: Connection) -> None:
    parents.close()  # or this process would never notice that its parent has ended
    channel = ProcessChannel(connection)
    with suppress(ChannelClosed):
        try:
            work(channel)
        except ChannelClosed:
            raise
        except BaseException as error:
            _send_failure(channel, error)
    channel.close()


def _send_failure(channel: ProcessChannel, error: BaseException) -> None:
    trace = "".join(traceback.format_exception(error))
    try:
        channel.send(_Failed(error, trace))
    except ChannelClosed:
        raise
    except Exception:
        channel.send(_Failed(RuntimeError(f"{type(error).__name__}: {error}"), trace))
