"""The deployed functions, by the names that people write."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sageline_local import deploy
from sageline_local.aws import LocalClients
from sageline_local.errors import FunctionUnknown

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef


def configuration(clients: LocalClients, name: str) -> FunctionConfigurationResponseTypeDef:
    """The configuration of a deployed function.

    Args:
        name: ``prepare_data``, ``prepare-data``, ``PrepareData`` or ``PrepareDataFunction``.

    Raises:
        FunctionUnknown: there is none of that name.
    """
    names = deploy.function_names(clients)
    return clients.lambda_.get_function_configuration(FunctionName=names[find(name, list(names))])


def find(name: str, logical_ids: Sequence[str]) -> str:
    """The logical id of the function that a person means.

    Raises:
        FunctionUnknown: naming those that there are.
    """
    found = [logical_id for logical_id in logical_ids if _key(logical_id) == _key(name)]
    if not found:
        known = ", ".join(sorted(folder(logical_id) for logical_id in logical_ids))
        problem = f"There is no function {name!r}." if name else "No function is named."
        raise FunctionUnknown(f"{problem} There are: {known}.")
    return found[0]


def _key(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower()).removesuffix("function")


def folder(logical_id: str) -> str:
    """The name of a function in ``functions/`` and in ``events/``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", logical_id.removesuffix("Function")).lower()
