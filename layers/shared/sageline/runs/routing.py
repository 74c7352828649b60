"""Which variants of an endpoint answer, and with which encoder: ``endpoints/<name>/routing.json``.

Written by a deployment and by a change of weights, read for every prediction. Imports nothing but
the standard library: it is on the prediction path.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace

from sageline.errors import InvalidRouting

ROUTING_VERSION = 1


@dataclass(frozen=True)
class RoutedVariant:
    """One model version behind an endpoint, and what is needed to talk to it."""

    name: str
    """SageMaker's variant name: the run id."""
    weight: float
    """Share of traffic, relative to the other weights; 0: only by name, or when nothing else is left."""
    model_version: str
    model_name: str
    encoder_uri: str
    """``s3://<bucket>/runs/<run_id>/encoder/``, with the slash at the end."""
    content_type: str
    """What the model takes: ``text/csv`` or ``application/x-recordio-protobuf``."""
    endpoint_config: str
    serverless: bool = False


@dataclass(frozen=True)
class Routing:
    """The variants of one endpoint."""

    endpoint: str
    variants: tuple[RoutedVariant, ...]
    """At least one."""
    updated_at: str
    """ISO 8601 with a ``Z``."""
    change: str | None = None
    """The run that a request has just started to change what serves; whoever writes a routing after that leaves it out."""

    @property
    def runs(self) -> list[str]:
        """The ids of the runs that brought or moved the variants, or are about to."""
        made = [run_id for variant in self.variants for run_id in (variant.model_version, variant.endpoint_config)]
        return list(dict.fromkeys([*made, *([self.change] if self.change else [])]))

    @property
    def champion(self) -> RoutedVariant:
        """The variant with the most traffic."""
        return max(self.variants, key=lambda variant: variant.weight)

    def variant(self, name: str) -> RoutedVariant | None:
        return next((variant for variant in self.variants if variant.name == name), None)

    def is_named(self, variant: RoutedVariant) -> bool:
        """Whether SageMaker is told which variant is to answer. Its documentation speaks of endpoints with two variants or more,
        and an endpoint that is serverless has one at any moment."""
        return len(self.variants) > 1 and not variant.serverless

    def pick(self, session: str) -> RoutedVariant:
        """The variant that answers ``session``, by weight.

        Weighted rendezvous hashing: each session draws a number per variant and the highest weighted draw wins. The same
        session keeps its variant, and a change of weights moves only the sessions that it has to move. For a request
        without a session, pass a random one. Variants of weight 0 answer only when there is no other.
        """
        weighted = [variant for variant in self.variants if variant.weight > 0]
        if not weighted:
            return max(self.variants, key=lambda variant: _draw(session, variant.name))
        return max(weighted, key=lambda variant: variant.weight / -math.log(_draw(session, variant.name)))

    def without(self, *names: str) -> Routing | None:
        """The same but for some variants; None when no variant is left."""
        variants = tuple(variant for variant in self.variants if variant.name not in names)
        return replace(self, variants=variants) if variants else None

    def with_weights(self, weights: Mapping[str, float], updated_at: str) -> Routing:
        """The same variants, with other weights for those that ``weights`` names."""
        variants = tuple(replace(variant, weight=weights.get(variant.name, variant.weight)) for variant in self.variants)
        return Routing(self.endpoint, variants, updated_at)

    def dump(self) -> bytes:
        """The JSON document."""
        document = {
            "version": ROUTING_VERSION,
            "endpoint": self.endpoint,
            "variants": [asdict(variant) for variant in self.variants],
            "updated_at": self.updated_at,
        } | ({"change": self.change} if self.change else {})
        return json.dumps(document, indent=2).encode() + b"\n"


def parse_routing(document: bytes, source: str) -> Routing:
    """The routing in a JSON document; ``source`` (its URI) is named in errors.

    Raises:
        InvalidRouting: damaged, or written by a newer version.
    """
    try:
        value = json.loads(document)
        if value["version"] != ROUTING_VERSION:
            raise InvalidRouting(
                f"{source}: version {value['version']!r}, this code reads {ROUTING_VERSION}; deploy the newer Sageline."
            )
        return Routing(
            endpoint=str(value["endpoint"]),
            variants=_parse_variants(value["variants"]),
            updated_at=str(value["updated_at"]),
            change=value.get("change"),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InvalidRouting(
            f"{source}: damaged ({type(error).__name__}: {error}); deploy the endpoint's last run again."
        ) from None


def _parse_variants(items: list[dict[str, str | float | bool]]) -> tuple[RoutedVariant, ...]:
    if not items:
        raise ValueError("no variants")
    return tuple(_parse_variant(item) for item in items)


def _parse_variant(item: dict[str, str | float | bool]) -> RoutedVariant:
    weight = float(item["weight"])
    if not (math.isfinite(weight) and weight >= 0):
        raise ValueError(f"weight {weight} of variant {item['name']}")
    texts = {field.name: str(item[field.name]) for field in fields(RoutedVariant) if field.name not in ("weight", "serverless")}
    # Routing of before has no `serverless`.
    return RoutedVariant(weight=weight, serverless=bool(item.get("serverless", False)), **texts)


def _draw(session: str, variant: str) -> float:
    """A number in the open interval (0, 1) that depends on nothing but its arguments."""
    digest = hashlib.blake2b(f"{variant}\0{session}".encode(errors="surrogatepass"), digest_size=7).digest()
    return (int.from_bytes(digest[:6], "big") + 0.5) / (1 << 48)
