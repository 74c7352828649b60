"""The page: everything in one file, and nothing fetched from anywhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sageline.report.data import ReportData
from sageline.report.drawing.markup import Markup, element
from sageline.report.drawing.tables import Section
from sageline.report.sections.algorithms import algorithms_section
from sageline.report.sections.classification import calibration_section, classes_section, confusion_section
from sageline.report.sections.dataset import dataset_section
from sageline.report.sections.decision import decision_section
from sageline.report.sections.evaluation import Evaluation
from sageline.report.sections.ranking import ranking_section
from sageline.report.sections.regression import residuals_section
from sageline.report.sections.run import costs_section, spec_section, timings_section
from sageline.report.sections.training import learning_section, tuning_section
from sageline.report.sections.verdict import champion_section, result_section, verdict

_NOTHING_FROM_OUTSIDE = "default-src 'none'; style-src 'unsafe-inline'"


def render(report: ReportData) -> bytes:
    """The report as an HTML document, UTF-8. Every text of the run, such as labels and names of columns, is escaped."""
    sections = [part for part in _sections(report) if part is not None]
    links = [element("a", part.title, href=f"#{part.identifier}") for part in sections]
    title = f"{report.name}: {report.outcome.lower()}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", http_equiv="Content-Security-Policy", content=_NOTHING_FROM_OUTSIDE),
        element("title", f"{title} ({report.run_id})"),
        element("style", Markup(_stylesheet())),
    )
    body = element(
        "body",
        verdict(report),
        element("nav", links, aria_label="Sections"),
        element("main", [part.markup for part in sections]),
        element("footer", element("p", "Written by Sageline.")),
    )
    page = element("html", head, body, lang="en")
    return f"<!doctype html>\n{page}\n".encode()


def _sections(report: ReportData) -> list[Section | None]:
    evaluation = Evaluation(report.evaluation) if report.evaluation else None
    return [
        *(_evaluated(evaluation) if evaluation is not None else []),
        algorithms_section(report),
        learning_section(report),
        tuning_section(report),
        dataset_section(report),
        spec_section(report),
        timings_section(report),
        costs_section(report),
    ]


def _evaluated(evaluation: Evaluation) -> list[Section | None]:
    kind = (
        [residuals_section(evaluation)]
        if evaluation.is_regression
        else [
            confusion_section(evaluation),
            classes_section(evaluation),
            ranking_section(evaluation),
            calibration_section(evaluation),
            decision_section(evaluation),
        ]
    )
    return [result_section(evaluation), champion_section(evaluation), *kind]


@cache
def _stylesheet() -> str:
    return Path(__file__).with_name("style.css").read_text("utf-8")
