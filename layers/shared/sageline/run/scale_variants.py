"""Which variants of an endpoint scale by themselves: those whose runs' specs ask for it."""

from __future__ import annotations

from collections.abc import Iterable

from botocore.exceptions import ClientError

from sageline.routing import RoutedVariant
from sageline.run.autoscaling import Scaling
from sageline.run.aws_errors import is_missing_object
from sageline.run.context import RunContext
from sageline.spec.deployment import Autoscaling


def scale_variants(endpoint: str, variants: Iterable[RoutedVariant], run: RunContext, scaling: Scaling) -> None:
    """Have the instances of variants follow their requests, where their specs say so. Done twice it changes nothing."""
    for variant in variants:
        wanted = _autoscaling_of(variant.model_version, run)
        if wanted is not None:
            scaling.add(endpoint, variant.name, wanted)


def _autoscaling_of(model_version: str, run: RunContext) -> Autoscaling | None:
    try:
        deployment = run.files.read_spec(model_version).deployment
    except ClientError as error:
        if not is_missing_object(error):
            raise
        return None
    return deployment.autoscaling if deployment else None
