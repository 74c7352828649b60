"""The prices that a stack counts with: the table, and over it the ``prices.json`` of the stack's bucket."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sageline.errors import InvalidPrices
from sageline.runs import price_list
from sageline.runs.price_list import USES, Use

_KEYS = ("date", "instances", "serverless")


@dataclass(frozen=True)
class Prices:
    """USD per instance and hour by instance type and use, and what serverless endpoints cost.

    Attributes:
        date: of the price_list.
        serverless_provisioned_gb_second: per second and GB kept warm; None: it is not known, and counted like computing.
        own: what an override gives, as pairs of instance type and use.
        override_date: what the override says of its date; empty without one.
    """

    instances: Mapping[str, Mapping[Use, float]] = field(default_factory=lambda: price_list.INSTANCES)
    serverless_gb_second: float = price_list.SERVERLESS_GB_SECOND
    serverless_provisioned_gb_second: float | None = price_list.SERVERLESS_PROVISIONED_GB_SECOND
    data_gb: float = price_list.DATA_GB
    date: str = price_list.DATE
    own: frozenset[tuple[str, Use]] = frozenset()
    override_date: str = ""

    def per_hour(self, instance_type: str, use: Use) -> float | None:
        """None: no price is known."""
        return self.instances.get(instance_type, {}).get(use)


LIST_PRICES = Prices()


def with_override(document: bytes, source: str, prices: Prices = LIST_PRICES) -> Prices:
    """The prices, replaced by those of a JSON document; docs/costs.md has its form.

    Raises:
        InvalidPrices: not JSON, unknown keys, or prices that are none; ``source`` (its URI) is named.
    """
    try:
        given = json.loads(document)
    except ValueError as error:
        raise InvalidPrices(f"{source}: not valid JSON: {error}.") from None
    known = _object(given, source, "the document", _KEYS)
    own: dict[tuple[str, Use], float] = {}
    for name, price in _object(known.get("instances", {}), source, "`instances`").items():
        own |= _of_instance(name, price, source)
    instances = {name: dict(uses) for name, uses in prices.instances.items()}
    for (name, use), usd in own.items():
        instances.setdefault(name, {})[use] = usd
    serverless = _object(known.get("serverless", {}), source, "`serverless`", ("gb_second", "provisioned_gb_second", "data_gb"))
    warm = serverless.get("provisioned_gb_second", prices.serverless_provisioned_gb_second)
    return replace(
        prices,
        instances=instances,
        serverless_gb_second=_price(serverless.get("gb_second", prices.serverless_gb_second), source, "serverless.gb_second"),
        serverless_provisioned_gb_second=None if warm is None else _price(warm, source, "serverless.provisioned_gb_second"),
        data_gb=_price(serverless.get("data_gb", prices.data_gb), source, "serverless.data_gb"),
        own=frozenset(own),
        override_date=str(known.get("date", "")),
    )


def _of_instance(name: str, price: object, source: str) -> dict[tuple[str, Use], float]:
    key = f"instances.{name}"
    if not name.startswith("ml."):
        raise InvalidPrices(f"{source}: `{key}` is no instance type of SageMaker; they are called like ml.m5.xlarge.")
    if not isinstance(price, dict):
        return dict.fromkeys([(name, use) for use in USES], _price(price, source, key))
    uses = _object(price, source, f"`{key}`", USES)
    return {(name, use): _price(uses[use], source, f"{key}.{use}") for use in USES if use in uses}


def _object(value: object, source: str, what: str, known: tuple[str, ...] | None = None) -> dict[str, object]:
    if not isinstance(value, dict):
        raise InvalidPrices(f"{source}: {what} is not a JSON object.")
    unknown = [] if known is None else [key for key in value if key not in known]
    if unknown:
        raise InvalidPrices(f"{source}: {what} has the key {unknown[0]!r}; known are {', '.join(known or ())}.")
    return value


def _price(value: object, source: str, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise InvalidPrices(f"{source}: `{key}` is {json.dumps(value)}; a price is a number of USD, 0 or more.")
    return float(value)
