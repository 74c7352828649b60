"""What Lambda gives a deployed function, to run it elsewhere: variables, its role's credentials, limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sageline_local import deploy, environment, functions
from sageline_local.aws import LocalClients
from sageline_local.function_credentials import function_credentials

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef

_HANDLER = "app.handler"


@dataclass(frozen=True)
class DeployedFunction:
    logical_id: str
    name: str
    """In the stack's Lambda."""
    role: str
    handler: str
    timeout_seconds: int
    memory_mb: int
    variables: Mapping[str, str]
    """All that its code is to find in its environment, the stack's addresses and its credentials among them."""

    @property
    def folder(self) -> str:
        """Its name in ``functions/`` and in ``events/``."""
        return functions.folder(self.logical_id)


def find(clients: LocalClients, name: str, stack: Mapping[str, str]) -> DeployedFunction:
    """A function of the stack.

    Args:
        name: as for ``functions.configuration``.
        stack: the variables with which programs use the stack.

    Raises:
        FunctionUnknown: there is none of that name.
    """
    names = deploy.function_names(clients)
    logical_id = functions.find(name, list(names))
    return _described(logical_id, clients.lambda_.get_function_configuration(FunctionName=names[logical_id]), stack)


def all_of(clients: LocalClients, stack: Mapping[str, str]) -> list[DeployedFunction]:
    """All functions of the stack."""
    names = deploy.function_names(clients)
    return [
        _described(logical_id, clients.lambda_.get_function_configuration(FunctionName=name), stack)
        for logical_id, name in sorted(names.items())
    ]


def _described(logical_id: str, found: FunctionConfigurationResponseTypeDef, stack: Mapping[str, str]) -> DeployedFunction:
    addresses = {name: value for name, value in stack.items() if name.startswith("AWS_ENDPOINT_URL")}
    return DeployedFunction(
        logical_id=logical_id,
        name=found["FunctionName"],
        role=found["Role"].rpartition("/")[2],
        handler=found.get("Handler", _HANDLER),
        timeout_seconds=found["Timeout"],
        memory_mb=found["MemorySize"],
        variables={
            **found.get("Environment", {}).get("Variables", {}),
            **addresses,
            **function_credentials(stack["AWS_SECRET_ACCESS_KEY"], found["FunctionArn"], found["Role"]),
            "AWS_REGION": environment.REGION,
            "AWS_DEFAULT_REGION": environment.REGION,
            "AWS_ACCOUNT_ID": environment.ACCOUNT,
            "AWS_LAMBDA_FUNCTION_NAME": found["FunctionName"],
            # Powertools traces nothing then.
            "AWS_SAM_LOCAL": "true",
        },
    )
