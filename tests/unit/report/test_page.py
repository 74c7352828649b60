"""The report as a page: whole, self-contained, escaped, and with the numbers that it was given."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from sageline.report.data import ReportData
from sageline.report.page import render
from sageline.runs.timings import StateTime
from tests.unit.report import samples
from tests.unit.report.reading import Element, overlapping, pictures, read, sections, table

TUNED = samples.spec() | {"tuning": {"objective": {"metric": "validation:mlogloss", "type": "Minimize"}}}

REPORTS = {
    "two classes": samples.report(samples.classification(2)),
    "ten classes and a champion": samples.report(samples.classification(10, champion=3.5)),
    "rejected": samples.report(samples.classification(20, skill=3.4, champion=3.5, at_least=0.9)),
    "sixty classes": samples.report(samples.classification(60)),
    "a hundred and thirty classes": samples.report(samples.classification(130)),
    "a threshold": samples.report(samples.decided()),
    "offsets": samples.report(samples.decided(6)),
    "regression": samples.report(samples.regression()),
    "tuning": samples.report(samples.classification(3), trials=samples.trials(40), spec=TUNED),
    "failed": samples.report(None, outcome="Failed", curves=(), metrics={}),
    "next to nothing": ReportData(run_id="r", name="n", outcome="Stopped", reason="Stopped by a person."),
}

HOSTILE = """<script src="http://evil.example">alert(1)</script>"'&amp;</title></style>\x00\x1b\ud800"""


@pytest.fixture(params=REPORTS)
def report(request: pytest.FixtureRequest) -> ReportData:
    return REPORTS[request.param]


def test_every_tag_is_closed_in_its_place_and_every_id_is_there_once(report: ReportData) -> None:
    page = read(report)

    ids = [element.attributes["id"] for element in page.everything() if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    assert page.all("html")[0].attributes["lang"] == "en"
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("title")[:1]) == 1


def test_the_list_of_sections_leads_to_each_of_them(report: ReportData) -> None:
    page = read(report)

    links = [link.attributes["href"] for link in page.all("nav")[0].all("a")]
    assert links == [f"#{identifier}" for identifier in sections(page)]


def test_a_page_needs_nothing_from_outside_and_runs_no_script(report: ReportData) -> None:
    page = read(report)

    assert b"http:" not in render(report)
    assert b"https:" not in render(report)
    assert not {"script", "link", "img", "iframe", "object", "image", "use", "base", "form"} & {e.tag for e in page.everything()}
    names = {name for element in page.everything() for name in element.attributes}
    assert not {"src", "srcset", "xlink:href", "onclick", "onload", "onerror"} & names
    assert not re.search(r"@import|url\(", page.all("style")[0].text)
    assert "default-src 'none'" in str([meta.attributes for meta in page.all("meta")])


def test_every_picture_is_well_formed_and_says_what_it_shows(report: ReportData) -> None:
    for picture in pictures(render(report).decode()):
        if picture.attrib.get("aria-hidden") != "true":
            assert picture.attrib["role"] == "img"
            assert picture.attrib["aria-label"] == picture.findtext("title")
            assert picture.attrib["aria-label"]


def test_no_two_texts_of_a_picture_overlap(report: ReportData) -> None:
    for picture in pictures(render(report).decode()):
        assert overlapping(picture) == []


def test_what_is_drawn_lies_within_its_picture(report: ReportData) -> None:
    for picture in pictures(render(report).decode()):
        _, _, width, height = map(float, picture.attrib["viewBox"].split())
        for element in picture.iter():
            across = [float(element.attrib[name]) for name in ("x", "x1", "x2", "cx") if name in element.attrib]
            down = [float(element.attrib[name]) for name in ("y", "y1", "y2", "cy") if name in element.attrib]
            assert all(0 <= x <= width for x in across), element.attrib
            assert all(0 <= y <= height for y in down), element.attrib
            assert float(element.attrib.get("height", 0)) >= 0


def test_every_table_names_its_columns_and_rows(report: ReportData) -> None:
    for found in read(report).all("table"):
        assert found.all("caption")[0].text
        head, *body = found.all("tr")
        assert all(cell.attributes["scope"] == "col" for cell in head.all("th"))
        width = len([child for child in head.children if isinstance(child, Element)])
        for row in body:
            cells = [child for child in row.children if isinstance(child, Element)]
            assert cells[0].attributes["scope"] == "row"
            assert len(cells) == width


def test_what_is_not_known_has_no_section() -> None:
    assert sections(read(REPORTS["next to nothing"])) == {}
    assert set(sections(read(REPORTS["failed"]))) == {"dataset", "spec", "timings", "costs"}
    assert "costs" not in sections(read(replace(REPORTS["two classes"], costs=None)))
    assert "calibration" not in sections(
        read(samples.report(samples.classification(3) | {"calibration": None, "metrics": {"accuracy": 0.5, "log_loss": None}}))
    )


def test_the_top_says_how_the_run_ended_and_why() -> None:
    top = read(REPORTS["rejected"]).all("header")[0]

    assert "aws-docs: rejected" in top.all("h1")[0].text
    assert "at least 0.9 is asked for" in top.text
    assert "aws-docs-20261120100000-0a1b2c" in top.text
    assert "2026-11-20 10:00 UTC" in top.text


def test_texts_of_a_run_are_texts_of_the_page_and_nothing_else() -> None:
    evaluation = samples.classification(2, champion=3.0)
    evaluation["classes"][0]["label"] = HOSTILE
    evaluation["confusion"]["labels"][0] = HOSTILE
    evaluation["baseline"]["label"] = HOSTILE
    evaluation["gate"]["checks"][0] |= {"reason": HOSTILE, "rule": HOSTILE, "metric": HOSTILE}
    evaluation["champion"] |= {"variant": HOSTILE, "problem": HOSTILE}
    profile = samples.profile(2)
    profile["label"] = {"column": HOSTILE, "classes": {"train": {HOSTILE: 3}}}
    profile["columns"] = {HOSTILE: {"kind": HOSTILE, "missing": 0, "distinct": 3}}
    profile["features"]["most_frequent"] = {HOSTILE: 3}
    spec = TUNED | {"algorithm": {"name": HOSTILE}, "reasons": {HOSTILE: HOSTILE}}
    trial = {"name": HOSTILE, "status": HOSTILE, "objective": 1.0, "hyperparameters": {HOSTILE: HOSTILE}, "seconds": 1}
    harmless = samples.report(evaluation, profile=profile, spec=spec, trials=[trial])
    hostile = replace(
        harmless,
        run_id=HOSTILE, name=HOSTILE, reason=HOSTILE, started_at=HOSTILE, dataset_uri=HOSTILE, endpoint_name=HOSTILE,
        training_job=HOSTILE, metrics={HOSTILE: 1.0}, curves=[replace(samples.curves("rmse")[0], metric=HOSTILE)],
        states=[StateTime(HOSTILE, 1.0)],
        costs={
            "parts": [{"what": HOSTILE, "usd": 1.0, "text": HOSTILE}],
            "jobs": [{"job": HOSTILE}], "notes": [HOSTILE],
            "prices": HOSTILE,
        },
    )  # fmt: skip

    page = read(hostile)

    assert not page.all("script")
    assert len(page.all("style")) == 1
    said = HOSTILE.replace("\x00", "\ufffd").replace("\x1b", "\ufffd").replace("\ud800", "?")
    assert page.all("h1")[0].text.endswith(f"{said}: deployed")
    assert page.all("header")[0].text.count(said) >= 4
    names = {cell.text for cell in page.all("th")}
    assert said in names
    assert {title.text for title in page.all("title")} & {f"{said}: deployed ({said})"}
    assert len(pictures(render(hostile).decode())) > 3


def test_a_label_as_long_as_a_book_is_cut() -> None:
    evaluation = samples.classification(2)
    evaluation["classes"][0]["label"] = "word" * 10_000

    assert len(render(samples.report(evaluation))) < 60_000
    names = [row[0] for row in table(read(samples.report(evaluation)), "The weakest classes first")]
    assert "word" * 20 + "…" in names


def test_the_same_run_gives_the_same_bytes(report: ReportData) -> None:
    assert render(report) == render(report)


@pytest.mark.slow
@pytest.mark.parametrize("evaluation", [partial(samples.regression, 100_000), partial(samples.classification, 100, 100_000)])
def test_a_page_of_a_hundred_thousand_rows_is_small_and_quick(evaluation: Callable[[], samples.Document]) -> None:
    data = samples.report(evaluation())
    started = time.process_time()

    page = render(data)

    assert time.process_time() - started < 0.5
    assert len(page) < 400_000
