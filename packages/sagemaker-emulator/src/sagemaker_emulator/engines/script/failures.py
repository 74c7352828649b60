"""What the training toolkit leaves in ``output/failure``."""

from __future__ import annotations

import builtins
import re
import signal

from sagemaker_emulator.engines.script.frameworks import missing_framework
from sagemaker_emulator.engines.shell.training import Failure

_ERRORS = tuple(name for name in dir(builtins) if "Error" in name)
_EXCEPTION = re.compile(r"^(?:\w+\.)*\w*(?:Error|Exception)\b")
# How argparse and pip begin.
_COMPLAINT = re.compile(r"^(?:[\w./-]+: error|ERROR): ")
_MOST_LINES = 100

EXECUTE, INSTALL_REQUIREMENTS, INSTALL_MODULE = "ExecuteUserScriptError", "InstallRequirementsError", "InstallModuleError"


class ScriptFailed(Exception):
    """A customer's program ended with a status that is not 0, as the toolkit words it.

    ``kind`` is one of the three above: the script itself, or pip on its behalf.
    """

    def __init__(self, kind: str, exit_status: int, message: str, command: str, info: str | None = None) -> None:
        lines = [f"{kind}:", f"ExitCode {exit_status}", f'ErrorMessage "{message}"']
        if info:
            lines.append(f'ExtraInfo "{info}"')
        super().__init__("\n".join([*lines, f'Command "{command}"']))
        self.exit_status = exit_status


class Misconfigured(Exception):
    """The job asks for what this toolkit cannot do; the message says what to change."""


class ErrorCapture:
    """Picks the error out of a program's output: from the first line that names an exception, each line once."""

    def __init__(self) -> None:
        self._lines: dict[str, None] = {}

    def feed(self, line: str) -> None:
        if len(self._lines) < _MOST_LINES and (self._lines or _begins_error(line)):
            text = line.strip(" :\n")
            if text:
                self._lines[text] = None

    @property
    def text(self) -> str:
        return "\n ".join(self._lines)


def _begins_error(line: str) -> bool:
    # The source lines in a traceback are indented, and name exceptions too.
    if not line or line[0].isspace():
        return False
    return bool(_EXCEPTION.match(line) or _COMPLAINT.match(line)) or any(name in line for name in _ERRORS)


def script_failed(kind: str, status: int, captured: str, command: str) -> ScriptFailed:
    """``status`` is Popen's: negative when a signal ended the program."""
    info = None
    if kind != EXECUTE:
        info = "pip could not install what the code asks for; without a network only what is installed here can be used"
    elif status == -signal.SIGKILL or status == 128 + signal.SIGKILL:
        info = "OutOfMemory: Process killed by SIGKILL (signal 9)"
    elif framework := missing_framework(captured):
        info = framework.missing
    return ScriptFailed(kind, 128 - status if status < 0 else status, captured, command, info)


def described(error: Exception) -> Failure:
    """The failure file of any error of the toolkit."""
    if isinstance(error, ScriptFailed):
        return Failure(str(error), error.exit_status, trace=False)
    if isinstance(error, Misconfigured):
        return Failure(f"Framework Error: \n{error}", trace=False)
    return Failure(f"Framework Error: \n{type(error).__name__}: {error}")
