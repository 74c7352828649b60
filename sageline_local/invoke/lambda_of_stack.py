"""A function by the stack's own Lambda: where there is neither Docker nor AWS's runtime emulator."""

from __future__ import annotations

import base64
import sys

from sageline_local.aws import LocalClients
from sageline_local.invoke.deployed_functions import DeployedFunction


def invoke(clients: LocalClients, function: DeployedFunction, event: bytes) -> str:
    """What a function answers; the end of what it logs goes to stderr."""
    response = clients.lambda_.invoke(FunctionName=function.name, Payload=event, LogType="Tail")
    sys.stderr.write(base64.b64decode(response.get("LogResult", "")).decode(errors="replace"))
    return response["Payload"].read().decode(errors="replace")
