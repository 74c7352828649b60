"""How pages are made: templates that escape everything, and what all of them show."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import jinja2
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from sageline import __version__
from sageline.report.drawing.figures import moment
from sageline.report.drawing.markup import Markup as Drawing
from sageline.runs.money import usd
from sageline_cli.console.moments import ago, took
from sageline_cli.console.stack import StackAccess
from sageline_cli.console.trials import measured, tried

_TEMPLATES = Path(__file__).parent / "templates"


class Views:
    """Renders templates. ``base`` begins every address of the console: ``/<token>``."""

    def __init__(self, base: str, stack_name: str) -> None:
        self.base = base
        self._jinja = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._jinja.globals.update(base=base, stack_name=stack_name, version=__version__, now=lambda: datetime.now(UTC))
        self._jinja.filters |= {"drawing": drawing, "ago": ago, "took": took, "moment": moment, "usd": usd}
        self._jinja.filters |= {"tried": tried, "measured": measured}

    def page(self, template: str, status: int = 200, **values: object) -> HTMLResponse:
        """A whole page, or a fragment of one."""
        return HTMLResponse(self._jinja.get_template(template).render(values), status)


def drawing(markup: Drawing) -> Markup:
    """A plot or table of the report's, which has escaped what it shows. Nothing else is taken for markup."""
    if not isinstance(markup, Drawing):
        raise TypeError(f"{type(markup).__name__} is not what sageline.report.drawing makes.")
    return Markup(markup)  # noqa: S704  # escaped by sageline.report.drawing.markup.element


def views_of(request: Request) -> Views:
    views: Views = request.app.state.views
    return views


def stack_of(request: Request) -> StackAccess:
    stack: StackAccess = request.app.state.stack
    return stack


def is_fragment(request: Request) -> bool:
    """Whether a part of a page is asked for, by htmx, and not a whole one."""
    return request.headers.get("hx-request") == "true" and request.headers.get("hx-boosted") != "true"
