"""Which variants of an endpoint scale by themselves: those whose runs' specs ask for it."""

from __future__ import annotations

from collections.abc import Iterable

from sageline.deployment.autoscaling import Scaling
from sageline.runs.context import RunContext
from sageline.runs.routing import RoutedVariant
from sageline.spec.deployment import AutoscalingSpec


def scale_variants(endpoint: str, variants: Iterable[RoutedVariant], run: RunContext) -> None:
    """Have the instances of variants follow their requests, where their specs say so. Done twice it changes nothing."""
    for variant in variants:
        wanted = _autoscaling_of(variant.model_version, run)
        if wanted is not None:
            Scaling(run).add(endpoint, variant.name, wanted)


def _autoscaling_of(model_version: str, run: RunContext) -> AutoscalingSpec | None:
    spec = run.files.find_spec(model_version)
    return spec.deployment.autoscaling if spec and spec.deployment else None
