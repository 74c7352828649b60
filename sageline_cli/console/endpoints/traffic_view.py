"""The traffic of an endpoint as plots, each with a table of the same numbers for whoever cannot see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from sageline.report.drawing.figures import count, number
from sageline.report.drawing.markup import Markup, element, join
from sageline.report.drawing.plot import SERIES, Frame, curve, figure, frame, legend
from sageline.report.drawing.scale import round_bounds
from sageline.report.drawing.tables import more, table
from sageline_cli.console.endpoints.metrics import Series, Traffic, VariantTraffic

_MILLI = 1000  # microseconds in a millisecond
_MOST_LABELS = 5
_LEAST = 5  # that the vertical axis goes to, so that counts have whole numbers beside it
_TABLE_ROWS = 60


@dataclass(frozen=True)
class VariantSummary:
    """A variant over the whole time. Latencies are in milliseconds, None without requests."""

    variant: str
    requests: int
    errors_4xx: int
    errors_5xx: int
    average: float | None
    overhead: float | None
    longest: float | None


@dataclass(frozen=True)
class _Curve:
    """Values by the middle of their period, in the order of time; a period without a value leaves a gap."""

    name: str
    values: Series


def summaries(traffic: Traffic) -> list[VariantSummary]:
    return [_summary(variant) for variant in traffic.variants]


def plots(traffic: Traffic, zone: tzinfo | None = None) -> Markup:
    """Requests, latency and errors over time, with moments in ``zone`` (None: that of this machine)."""
    return join([_requests(traffic, zone), _latency(traffic, zone), _errors(traffic, zone)])


def _requests(traffic: Traffic, zone: tzinfo | None) -> Markup:
    curves = [_Curve(variant.variant, _every(traffic, variant.requests)) for variant in traffic.variants]
    return _plot("Requests", f"requests in {_period(traffic.period)}", traffic, curves, zone)


def _latency(traffic: Traffic, zone: tzinfo | None) -> Markup:
    """Of two variants the median and the 95th percentile; of more, for want of colours, only the latter."""
    curves = []
    for variant in traffic.variants:
        name = f"{variant.variant}, " if len(traffic.variants) > 1 else ""
        if 2 * len(traffic.variants) <= SERIES:
            curves.append(_Curve(f"{name}median", _scaled(variant.p50)))
        curves.append(_Curve(f"{name}95th percentile", _scaled(variant.p95)))
    return _plot("Latency of the model", "milliseconds", traffic, curves, zone)


def _errors(traffic: Traffic, zone: tzinfo | None) -> Markup:
    """The model's own errors (5xx), and besides, where there were any, those of requests (4xx)."""
    curves = []
    for variant in traffic.variants:
        name = f"{variant.variant}, " if len(traffic.variants) > 1 else ""
        curves.append(_Curve(f"{name}5xx", _every(traffic, variant.errors_5xx)))
        if sum(variant.errors_4xx.values()) > 0:
            curves.append(_Curve(f"{name}4xx", _every(traffic, variant.errors_4xx)))
    return _plot("Errors", f"errors in {_period(traffic.period)}", traffic, curves, zone)


def _plot(title: str, unit: str, traffic: Traffic, curves: Sequence[_Curve], zone: tzinfo | None) -> Markup:
    ys = [y for drawn in curves for y in drawn.values.values()]
    if not any(ys):
        return figure(title, element("p", f"No {title.lower()} in this time.", class_="note"))
    half = traffic.period / 2
    bounds = round_bounds([0, _LEAST, *ys], zero=True)
    window = (traffic.start.timestamp(), traffic.end.timestamp())
    axes = frame(window, bounds, "", unit, x_ticks=[*_ticks(traffic.start, traffic.end, zone)])
    drawn = [
        join(
            [
                [curve(axes, part, index % SERIES) for part in _unbroken(line.values, traffic.period, half)],
                _dots(axes, _alone(line.values, traffic.period, half), index % SERIES),
            ]
        )
        for index, line in enumerate(curves)
    ]
    told = f"{title}: {unit}, from {_clock(traffic.start, zone)} to {_clock(traffic.end, zone)}"
    return figure(title, axes.draw(told, drawn), legend([line.name for line in curves]), _table(title, unit, curves, zone))


def _dots(axes: Frame, values: Iterator[tuple[float, float]], series: int) -> Markup:
    return element("g", [element("circle", cx=axes.x(x), cy=axes.y(y), r=3) for x, y in values], class_=f"line s{series}")


def _table(title: str, unit: str, curves: Sequence[_Curve], zone: tzinfo | None) -> Markup:
    """The newest moments first; those in which nothing happened are left out."""
    moments = sorted({moment for line in curves for moment, value in line.values.items() if value}, reverse=True)
    shown = moments[:_TABLE_ROWS]
    rows = [[_clock(moment, zone), *(number(_rounded(line.values.get(moment))) for line in curves)] for moment in shown]
    columns = ["from", *(line.name for line in curves)]
    caption = f"{title}: {unit}" + (f", the newest {_TABLE_ROWS} moments" if len(moments) > _TABLE_ROWS else "")
    return more(f"{title} as a table", table(caption, columns, rows, numeric=range(1, len(columns))))


def _ticks(start: datetime, end: datetime, zone: tzinfo | None) -> Iterator[tuple[float, str]]:
    """Round moments: of a week the days, else the hours and minutes."""
    seconds = (end - start).total_seconds()
    step = next((s for s in (600, 1200, 1800, 3600, 7200, 14400, 21600, 43200, 86400) if seconds / s <= _MOST_LABELS), 172_800)
    local = start.astimezone(zone)
    offset = local.utcoffset() or timedelta()
    first = -(-(start.timestamp() + offset.total_seconds()) // step) * step - offset.total_seconds()
    at = first
    while at <= end.timestamp():
        moment = datetime.fromtimestamp(at, zone or local.tzinfo)
        yield at, f"{moment:%d %b}" if step >= 86_400 else f"{moment:%H:%M}"
        at += step


def _unbroken(values: Series, period: int, half: float) -> Iterator[list[tuple[float, float]]]:
    """Runs of neighbouring periods, as points at the middle of each."""
    part: list[tuple[float, float]] = []
    for moment, value in sorted(values.items()):
        at = moment.timestamp() + half
        if part and at - part[-1][0] > period * 1.5:
            yield part
            part = []
        part.append((at, value))
    if part:
        yield part


def _alone(values: Series, period: int, half: float) -> Iterator[tuple[float, float]]:
    """Values without a neighbour, which a line does not show."""
    return (part[0] for part in _unbroken(values, period, half) if len(part) == 1)


def _every(traffic: Traffic, values: Series) -> Series:
    """With 0 for the periods in which nothing was counted."""
    if not any(variant.requests for variant in traffic.variants):
        return {}
    steps = int((traffic.end - traffic.start).total_seconds()) // traffic.period
    moments = (traffic.start + timedelta(seconds=index * traffic.period) for index in range(steps))
    return {moment: values.get(moment, 0.0) for moment in moments}


def _scaled(values: Series) -> Series:
    return {moment: value / _MILLI for moment, value in values.items()}


def _summary(variant: VariantTraffic) -> VariantSummary:
    def total(values: Series) -> float:
        return sum(values.values())

    def each(values: Series) -> float | None:
        return total(values) / requests / _MILLI if requests else None

    requests = total(variant.requests)
    return VariantSummary(
        variant=variant.variant,
        requests=round(requests),
        errors_4xx=round(total(variant.errors_4xx)),
        errors_5xx=round(total(variant.errors_5xx)),
        average=each(variant.model),
        overhead=each(variant.overhead),
        longest=max(variant.longest.values()) / _MILLI if variant.longest else None,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _clock(moment: datetime, zone: tzinfo | None) -> str:
    return f"{moment.astimezone(zone):%d %b %H:%M}"


def _period(seconds: int) -> str:
    if seconds < 3600:
        return "a minute" if seconds == 60 else f"{seconds // 60} minutes"
    return count(seconds // 3600, "hour") if seconds > 3600 else "an hour"
