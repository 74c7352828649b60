"""What every part of the spec is made of."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from sageline.names import ENDPOINT_NAME_MAX_LENGTH, ENDPOINT_NAME_PATTERN, NAME_MAX_LENGTH, NAME_PATTERN

Name: TypeAlias = Annotated[str, Field(pattern=NAME_PATTERN, max_length=NAME_MAX_LENGTH)]
"""Lower-case letters, digits and single hyphens, at most 32 characters."""

EndpointName: TypeAlias = Annotated[str, Field(pattern=ENDPOINT_NAME_PATTERN, max_length=ENDPOINT_NAME_MAX_LENGTH)]
InstanceType: TypeAlias = Annotated[str, Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")]


class BaseSpec(BaseModel):
    """Base of every part of the spec: unknown keys are errors, values are not coerced from other types,
    numbers are finite."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
