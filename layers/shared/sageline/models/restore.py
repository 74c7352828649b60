"""RestoreModels: make those models again that an endpoint is to serve and that are gone by now."""

from __future__ import annotations

from sageline.deployment.endpoints import find_model
from sageline.errors import ModelMissing, ResourceConflict, RunNotFound
from sageline.models.create import make_models
from sageline.names import open_model_name
from sageline.runs.context import RunContext
from sageline.runs.endpoint_change import EndpointChange, change_of
from sageline.runs.payloads import RestoredModels
from sageline.runs.routing import RoutedVariant
from sageline.training.roles import ModelRoles


def restore_models(run_id: str, *, roles: ModelRoles, run: RunContext) -> RestoredModels:
    """Make those models of a change that are gone: each from its own run's artifact and spec, under its own name.

    Raises:
        ResourceConflict: the run is no change.
        ModelMissing: what a model is made of is gone.
    """
    run.store.enter(run_id, "RestoreModels")
    change = change_of(run.store.get(run_id))
    if change is None:
        raise ResourceConflict(f"Run {run_id} does not change what an endpoint serves, so there is nothing to restore.")
    restored: list[str] = []
    for variant in change.goal.variants:
        missing = [name for name in _models(variant, change) if find_model(run.clients.sagemaker, name) is None]
        if missing:
            make_models(variant.model_version, _artifact(variant.model_version, run), names=missing, roles=roles, run=run)
            restored += missing
    return {"restored": restored}


def _models(variant: RoutedVariant, change: EndpointChange) -> list[str]:
    """What a variant needs: its isolated model, which batches ask; and the other one where it may serve on demand."""
    version = variant.model_version
    serverless = variant.serverless or "ServerlessConfig" in change.capacities.get(variant.name, {})
    return [version, open_model_name(version)] if serverless else [version]


def _artifact(model_version: str, run: RunContext) -> str:
    try:
        artifact = run.store.get(model_version).details.get("training", {}).get("model_artifact_uri")
    except RunNotFound:
        artifact = None
    if artifact is None:
        raise ModelMissing(f"What model {model_version} is made of is not known any more: the record of its run is gone.")
    return str(artifact)
