"""How a first-party algorithm's training ends when it fails.

Exit status 2 is the customer's fault, 1 the algorithm's; the messages have the form of Amazon's algorithm SDK, of which the
exceptions are published in the MXNet and scikit-learn repositories that Amazon keeps.
"""

from __future__ import annotations

from sagemaker_emulator.engines.shell.training import Failure, LogFormat

LOG_FORMAT = LogFormat("[%(asctime)s %(levelname)s %(thread)d] %(message)s", "%m/%d/%Y %H:%M:%S")


class CustomerError(Exception):
    """The customer's data or configuration is at fault.

    ``caused_by`` is the name of the error within the algorithm and its text, which tells what exactly is wrong.
    """

    def __init__(self, message: str, caused_by: tuple[str, str] | None = None) -> None:
        name, text = caused_by or ("", "")
        super().__init__(f"{message} (caused by {name})\n\nCaused by: {text}" if caused_by else message)


def describe(error: Exception) -> Failure:
    if isinstance(error, CustomerError):
        return Failure(f"ClientError: {error}", exit_status=2)
    return Failure(f"{type(error).__name__}: {error}")
