"""What an endpoint has cost so far, at the prices that its runs were counted with.

An instance is paid for by the hour while it is there; a serverless variant by the second that its model computes, of which
CloudWatch has the sum.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from sageline.json_objects import Json
from sageline.runs.money import usd
from sageline.runs.prices import LIST_PRICES
from sageline_cli.connection import Connection
from sageline_cli.console.endpoints.metrics import computing_seconds
from sageline_cli.console.endpoints.side_by_side import all_of
from sageline_cli.errors import CommandFailed
from sageline_cli.resolved_spec import resolved_spec

_MEMORY_MB = 2048  # of a serverless variant whose spec is gone


@dataclass(frozen=True)
class VariantPrice:
    """What a variant costs.

    ``usd_per_hour``: whether it is asked or not; None where no price is known. ``usd_per_second``: of computing, 0 on instances.
    ``what``: on which it serves, ``1 ml.m5.large`` or ``serverless, 2 GB``. ``since``: when its run deployed it.
    """

    what: str
    usd_per_hour: float | None
    usd_per_second: float
    since: datetime | None


@dataclass(frozen=True)
class CostSoFar:
    """``usd`` is None where something of it is not known; ``told`` says how it was counted, a line for each variant."""

    usd: float | None
    told: tuple[str, ...]

    @property
    def text(self) -> str:
        """To the cent: it is shown anew every few seconds."""
        if self.usd is None:
            return "not known"
        return "under $0.01" if 0 < self.usd < 0.01 else f"${self.usd:,.2f}"


class VariantPrices:
    """Remembers what variants cost: a run that has deployed says the same for ever."""

    def __init__(self) -> None:
        self._known: dict[str, VariantPrice] = {}
        self._lock = threading.Lock()

    def of(self, connection: Connection, run_ids: Iterable[str]) -> Mapping[str, VariantPrice]:
        """By run id, without those whose runs are gone."""
        asked = set(run_ids)
        with self._lock:
            missing = sorted(asked - self._known.keys())
        found = all_of(partial(_price, connection, run_id) for run_id in missing)
        with self._lock:
            self._known |= {run_id: price for run_id, price in zip(missing, found, strict=True) if price is not None}
            return {run_id: self._known[run_id] for run_id in asked & self._known.keys()}

    def is_known(self, run_ids: Iterable[str]) -> bool:
        with self._lock:
            return self._known.keys() >= set(run_ids)


def costs_so_far(
    connection: Connection, endpoints: Sequence[Json], prices: Mapping[str, VariantPrice], now: datetime
) -> dict[str, CostSoFar]:
    """By endpoint, as the HTTP API shows them; ``prices`` by run."""
    created = {endpoint["name"]: _moment(endpoint.get("created_at")) for endpoint in endpoints}
    variants = [(e["name"], v["name"], prices.get(v["model_version"])) for e in endpoints for v in e["variants"]]
    metered = [(name, variant) for name, variant, price in variants if price is not None and price.usd_per_second]
    computed = _computed(connection, metered, min(filter(None, created.values()), default=now), now)
    lines: dict[str, list[tuple[float | None, str]]] = {endpoint["name"]: [] for endpoint in endpoints}
    for name, variant, price in variants:
        begun = created[name]
        if price is None or begun is None:
            lines[name].append((None, f"{variant}: what it costs is not known"))
            continue
        hours = max((now - max(begun, price.since or begun)).total_seconds(), 0) / 3600
        lines[name].append(_line(variant, price, hours, computed.get((name, variant))))
    return {name: _sum(found) for name, found in lines.items()}


def _line(variant: str, price: VariantPrice, hours: float, seconds: float | None) -> tuple[float | None, str]:
    if price.usd_per_hour is None:
        return None, f"{variant}: {price.what}, of which no price is known"
    amount, told = 0.0, []
    if price.usd_per_hour:
        amount += price.usd_per_hour * hours
        told.append(f"{hours:.3g} h at {usd(price.usd_per_hour)} an hour")
    if price.usd_per_second:
        if seconds is None:
            return None, f"{variant}: {price.what}; CloudWatch does not say how long it has computed"
        amount += price.usd_per_second * seconds
        told.append(f"{seconds:.3g} s of computing at {usd(price.usd_per_second)} a second")
    return amount, f"{variant}: {price.what}, {' and '.join(told)} = {usd(round(amount, 4))}"


def _sum(lines: Sequence[tuple[float | None, str]]) -> CostSoFar:
    amounts = [amount for amount, _ in lines if amount is not None]
    complete = len(amounts) == len(lines) and bool(lines)
    return CostSoFar(round(sum(amounts), 6) if complete else None, tuple(told for _, told in lines))


def _computed(
    connection: Connection, metered: Sequence[tuple[str, str]], since: datetime, now: datetime
) -> Mapping[tuple[str, str], float]:
    if not metered:
        return {}
    try:
        return computing_seconds(connection.watching.cloudwatch, metered, since, now)
    except ClientError:  # no permission: the cost is then not known
        return {}


def _price(connection: Connection, run_id: str) -> VariantPrice | None:
    """None where the run is gone, or has not deployed yet."""
    try:
        run = connection.api.run(run_id)
    except CommandFailed as error:
        if error.code != "RunNotFound":
            raise
        return None
    cost = (run.get("details") or {}).get("cost") or {}
    entered = {state["state"]: state["entered_at"] for state in run.get("states") or []}
    since = _moment(entered.get("DeployEndpoint"))
    part: Mapping[str, Any] = next((p for p in cost.get("parts", []) if p["what"] == "endpoint"), {})  # any JSON value
    if not part:
        return None
    hourly = cost.get("endpoint_usd_per_hour")
    if part.get("instance_type"):
        return VariantPrice(f"{part['instances']} {part['instance_type']}", hourly, 0.0, since)
    deployment = (resolved_spec(connection, run_id) or {}).get("deployment") or {}
    memory = (deployment.get("serverless") or {}).get("memory_mb", _MEMORY_MB)
    per_second = LIST_PRICES.serverless_gb_second * memory / 1024
    return VariantPrice(f"serverless, {memory / 1024:g} GB", hourly, per_second, since)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
