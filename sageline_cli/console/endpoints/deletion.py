"""What the deletion of an endpoint takes with it (:mod:`sageline.deployment.delete`), said before it is done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sageline.json_objects import Json
from sageline.names import routing_key
from sageline_cli.console.endpoints.metrics import VariantAlarm
from sageline_cli.console.endpoints.serving import Serving

Part = tuple[str, Sequence[str]]
"""What it is, and the names of those that go."""


def what_goes(serving: Serving, endpoint: Json, alarms: Sequence[VariantAlarm]) -> list[Part]:
    """All that is deleted, as far as the console knows it."""
    return [part for part in _parts(serving, endpoint, alarms) if part[1]]


def _parts(serving: Serving, endpoint: Json, alarms: Sequence[VariantAlarm]) -> Iterator[Part]:
    name = serving.endpoint
    yield "The endpoint, which answers no more", [name]
    if serving.routing is not None:
        yield "Its endpoint config", list(dict.fromkeys(variant.endpoint_config for variant in serving.routing.variants))
        yield "The models of its variants", [variant.model_name for variant in serving.routing.variants]
    else:
        yield "Its variants, with endpoint config and models", [variant.name for variant in serving.variants]
    if endpoint.get("expires_at"):
        yield "The schedule that would delete it", [name]
    own = [alarm.name for alarm in alarms if any(f"-rollout-{variant.name}-" in alarm.name for variant in serving.variants)]
    yield "The alarms of its rollout", own
    yield "Its log group, and scalable targets if it scales by itself", [f"/aws/sagemaker/Endpoints/{name}"]
    yield "Its routing", [routing_key(name)]
