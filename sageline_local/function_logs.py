"""What MiniStack 1.5.33 does otherwise than Lambda with the log of a function.

It does not know where the lines of an invocation end. So it waits 50 ms for the first line of a function that logs none before
it answers the caller, and what comes more than 5 ms after another line goes into the log of the next invocation. Here the worker
says where its lines end.
"""

from __future__ import annotations

import queue
import time
from typing import Any

from ministack.core import lambda_runtime
from ministack.core.lambda_runtime import Worker

END = "\x1eend of the invocation's log"
SENT = "        _real_stdout.flush()\n\nrun()\n"
"""How MiniStack's worker script ends an invocation."""
_PATIENCE_SECONDS = 1.0
"""For lines on their way from the worker, which is then done with them."""


def install() -> None:
    """Have MiniStack's Python workers say where the log of an invocation ends, and MiniStack go by that."""
    said = f'        sys.stderr.write({END!r} + "\\n")\n        sys.stderr.flush()\n'
    lambda_runtime._PYTHON_WORKER_SCRIPT = lambda_runtime._PYTHON_WORKER_SCRIPT.replace(SENT, said + SENT)
    drain = Worker._drain_stderr_bounded

    def drain_to_the_end(worker: Worker, *args: Any, **kwargs: Any) -> str:  # Any: MiniStack's
        is_ended = worker._proc is None
        if is_ended or not str(worker.config.get("Runtime", "")).startswith("python"):
            lines: str = drain(worker, *args, **kwargs)
            return lines.replace(END, "")
        return "\n".join(_lines(worker._stderr_queue))

    Worker._drain_stderr_bounded = drain_to_the_end


def _lines(logged: queue.Queue[str]) -> list[str]:
    """The lines until the end that the worker has said."""
    lines: list[str] = []
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            line, end, _ = logged.get(timeout=max(deadline - time.monotonic(), 0)).partition(END)
        except queue.Empty:
            return lines
        # A last line need not have a line feed.
        lines += [line] if line or not end else []
        if end:
            return lines
