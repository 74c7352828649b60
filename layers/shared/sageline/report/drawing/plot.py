"""Plots as SVG: axes, lines, points, bars. Colours come from the page's stylesheet, so they follow it into dark mode."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sageline.report.drawing.figures import number
from sageline.report.drawing.markup import Child, Markup, element, join
from sageline.report.drawing.scale import Scale, round_bounds, tick_labels

WIDTH, HEIGHT = 440.0, 270.0
"""As wide as a phone, so that text keeps its size there; a wide page puts two side by side."""

SERIES = 4
"""So many colours (with dashes of their own) the stylesheet has."""

_CHARACTER = 6.3  # pixels, of the widest digits at the stylesheet's size of labels
_TOP, _RIGHT, _BOTTOM = 26.0, 14.0, 42.0
_Y_TICKS, _X_TICKS = 6, 8
_FEW_POINTS = 200

Bounds = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """Points that are joined, in order; a value that is not finite leaves a gap."""

    name: str
    xs: Sequence[float]
    ys: Sequence[float]


@dataclass(frozen=True)
class Frame:
    """A plot's scales, and its axes with ticks, grid and labels."""

    x: Scale
    y: Scale
    height: float
    axes: Markup

    def draw(self, title: str, *children: Child) -> Markup:
        """The finished plot; ``title`` says what it shows to whoever cannot see it."""
        return svg(title, WIDTH, self.height, self.axes, *children)


def svg(title: str, width: float, height: float, *children: Child) -> Markup:
    return element(
        "svg",
        element("title", title),
        *children,
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_label=title,
        class_="plot",
    )


def figure(caption: str, plot: Child, *below: Child) -> Markup:
    """A plot with its heading, and its legend or a note below it."""
    return element("figure", element("figcaption", caption), plot, *below)


def note(*text: Child) -> Markup:
    return element("p", *text, class_="note")


def frame(
    x: Bounds,
    y: Bounds,
    x_label: str,
    y_label: str,
    *,
    height: float = HEIGHT,
    whole: bool = False,
    x_ticks: Sequence[tuple[float, str]] | None = None,
) -> Frame:
    """Axes over these bounds. ``whole``: x counts something, so its ticks are whole numbers. ``x_ticks``: where they are and what
    they say, where a number says nothing, as of a moment."""
    y_scale = Scale(*y, height - _BOTTOM, _TOP)
    y_ticks = y_scale.ticks(_Y_TICKS)
    y_texts = tick_labels(y_ticks)
    left = 12 + _CHARACTER * max(map(len, y_texts))
    x_scale, round_ticks = _x_scale(x, left, whole)
    ticks = [*zip(round_ticks, tick_labels(round_ticks), strict=True)] if x_ticks is None else x_ticks
    middle = (left + WIDTH - _RIGHT) / 2
    axes = element(
        "g",
        [_y_tick(y_scale(tick), text, left) for tick, text in zip(y_ticks, y_texts, strict=True)],
        [_x_tick(x_scale(tick), text, height) for tick, text in ticks],
        element("line", x1=left, x2=WIDTH - _RIGHT, y1=height - _BOTTOM, y2=height - _BOTTOM, class_="axis"),
        element("text", _fitting(y_label), x=4, y=14),
        element("text", _fitting(x_label), x=middle, y=height - 8, class_="middle"),
        class_="axes",
    )
    return Frame(x_scale, y_scale, height, axes)


def line_plot(title: str, lines: Sequence[Line], x_label: str, y_label: str, marks: Iterable[tuple[float, float]] = ()) -> Markup:
    """Up to :data:`SERIES` lines over whole numbers (epochs, rounds, trials); ``marks`` are points set apart."""
    xs = [x for line in lines for x in line.xs]
    ys = [y for line in lines for y in line.ys]
    plot = frame((min(xs, default=0), max(xs, default=1)), round_bounds(ys), x_label, y_label, whole=True)
    return plot.draw(
        title,
        [_line(plot, line, index) for index, line in enumerate(lines)],
        [element("circle", cx=plot.x(x), cy=plot.y(y), r=5, class_="mark") for x, y in marks],
    )


def curve(plot: Frame, points: Iterable[tuple[float, float]], series: int = 0) -> Markup:
    """A line through points in the plot's units, in the colour of one of :data:`SERIES`."""
    path = "L".join(f"{plot.x(x):.1f} {plot.y(y):.1f}" for x, y in points)
    return element("g", element("path", d=f"M{path}") if path else None, class_=f"line s{series}")


def legend(names: Sequence[str]) -> Markup | None:
    """Which line is which; None where there is but one."""
    if len(names) < 2:
        return None
    return element("ul", [element("li", _key(index), name) for index, name in enumerate(names)], class_="legend")


def points(plot: Frame, xs: Iterable[float], ys: Iterable[float]) -> Markup:
    """Dots that shine through each other where they crowd: one path, however many."""
    dots = [f"M{plot.x(x):.1f} {plot.y(y):.1f}h0" for x, y in zip(xs, ys, strict=True) if math.isfinite(x + y)]
    return element("path", d="".join(dots), class_="dots few" if len(dots) <= _FEW_POINTS else "dots")


def reference(plot: Frame, start: tuple[float, float], end: tuple[float, float]) -> Markup:
    """A dashed line to compare with, between two points given in the plot's units."""
    (x1, y1), (x2, y2) = start, end
    return element("line", x1=plot.x(x1), y1=plot.y(y1), x2=plot.x(x2), y2=plot.y(y2), class_="reference")


def histogram(title: str, edges: Sequence[float], counts: Sequence[int], x_label: str) -> Markup:
    """Bars between ``edges`` (one more than ``counts``), each with a text of its own."""
    bounds = (edges[0], edges[-1])
    plot = frame(bounds, round_bounds(counts, _Y_TICKS, zero=True), x_label, "rows")
    inside = [reference(plot, (0, plot.y.low), (0, plot.y.high))] if bounds[0] < 0 < bounds[1] else []
    return plot.draw(title, bars(plot, edges, counts), inside)


def bars(plot: Frame, edges: Sequence[float], counts: Sequence[int]) -> Markup:
    base = plot.y(0)
    return element(
        "g",
        [
            element(
                "rect",
                element("title", f"{number(low)} to {number(high)}: {count:,} rows"),
                x=plot.x(low) + 0.5,
                width=max(plot.x(high) - plot.x(low) - 1, 0.5),
                y=plot.y(count),
                height=base - plot.y(count),
            )
            for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
            if count
        ],
        class_="bars",
    )


def _fitting(label: str) -> str:
    """A name may be longer than its plot is wide."""
    most = int((WIDTH - 100) / _CHARACTER)
    return label if len(label) <= most else f"{label[: most - 1]}…"


def _x_scale(bounds: Bounds, left: float, whole: bool) -> tuple[Scale, list[float]]:
    """As many ticks as have room beside each other."""
    low, high = bounds
    scale = Scale(low, high if high > low else low + 1, left, WIDTH - _RIGHT, whole)
    for most in range(_X_TICKS, 2, -1):
        ticks = scale.ticks(most)
        if len(ticks) * (_CHARACTER * max(map(len, tick_labels(ticks))) + 12) <= scale.end - scale.start:
            return scale, ticks
    return scale, scale.ticks(2)


def _y_tick(at: float, text: str, left: float) -> Markup:
    return join(
        [
            element("line", x1=left, x2=WIDTH - _RIGHT, y1=at, y2=at, class_="grid"),
            element("text", text, x=left - 6, y=at + 4, class_="end"),
        ]
    )


def _x_tick(at: float, text: str, height: float) -> Markup:
    # A label at the right border ends there instead of being cut.
    outside = at + _CHARACTER * len(text) / 2 > WIDTH
    return join(
        [
            element("line", x1=at, x2=at, y1=height - _BOTTOM, y2=height - _BOTTOM + 4, class_="axis"),
            element("text", text, x=WIDTH - 1 if outside else at, y=height - _BOTTOM + 17, class_="end" if outside else "middle"),
        ]
    )


def _line(plot: Frame, line: Line, index: int) -> Markup:
    dots = [
        (plot.x(x), plot.y(y)) if math.isfinite(x) and math.isfinite(y) else None for x, y in zip(line.xs, line.ys, strict=True)
    ]
    path, pen_down = [], False
    for at in dots:
        if at is not None:
            path.append(f"{'L' if pen_down else 'M'}{at[0]:.1f} {at[1]:.1f}")
        pen_down = at is not None
    alone = [element("circle", cx=at[0], cy=at[1], r=3) for at in dots if at is not None] if len(dots) <= 30 else []
    return element("g", element("title", line.name), element("path", d="".join(path)), alone, class_=f"line s{index % SERIES}")


def _key(index: int) -> Markup:
    return element(
        "svg",
        element("path", d="M0 6h24"),
        viewBox="0 0 24 12",
        aria_hidden="true",
        class_=f"key line s{index % SERIES}",
    )
