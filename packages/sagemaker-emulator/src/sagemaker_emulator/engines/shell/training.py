"""The main function of a training program: arguments, logging, SIGTERM, the failure file, the exit status."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from sagemaker_emulator.children import end_with_the_service

logger = logging.getLogger(__name__)

SignalHandler = Callable[[int, FrameType | None], None]


@dataclass(frozen=True)
class LogFormat:
    """How a container's log lines begin: ``logging``'s format and date format."""

    line: str
    date: str


@dataclass(frozen=True)
class Failure:
    """What a failed training leaves: the text of ``output/failure``, and the exit status.

    ``trace`` is whether the log gets the exception's traceback: not where a customer's program has told its own.

    A text that begins with ``ClientError: `` becomes the job's FailureReason with that prefix; ``AlgorithmError: `` is put
    before any other. SageMaker shows the first 1,024 characters.
    """

    text: str
    exit_status: int = 1
    trace: bool = True


def end_at_once(_signal: int, _frame: FrameType | None) -> None:
    """What most containers do on SIGTERM: what is in ``model/`` by then is kept."""
    sys.exit(0)


def run(
    train: Callable[[Path], None],
    describe: Callable[[Exception], Failure],
    log_format: LogFormat,
    on_sigterm: SignalHandler = end_at_once,
) -> None:
    """Call ``train`` with the directory that stands for ``/opt/ml``; an exception becomes the failure that it is described as."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    root = parser.parse_args().root
    end_with_the_service()
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format=log_format.line, datefmt=log_format.date)
    signal.signal(signal.SIGTERM, on_sigterm)
    try:
        train(root)
    except Exception as error:  # every failure becomes the failure file, as in the container
        failure = describe(error)
        logger.error("Reporting training FAILURE" if failure.trace else failure.text, exc_info=failure.trace)
        (root / "output" / "failure").write_text(failure.text)
        sys.exit(failure.exit_status)
