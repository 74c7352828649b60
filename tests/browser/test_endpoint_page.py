"""An endpoint of two variants on the console's page, in a real browser: tried, split, promoted, rolled back, deleted."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from sageline_cli.connection import Connection
from sageline_local.samples import SAMPLES
from sageline_local.stack import LocalStack
from tests.browser.console_window import PHONE, Switch, Window

pytestmark = [pytest.mark.stack, pytest.mark.browser]

EVIL = "<img src=x onerror=alert(1)>"
INSTANCES = {"instances": {"instance_type": "ml.m5.large"}}


@pytest.fixture(scope="module")
def connection(switch: Switch) -> Connection:
    return switch.access.get()


@pytest.fixture(scope="module", autouse=True)
def endpoints(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> None:
    """``grapes``: two variants side by side. ``evil``: columns and labels whose names are markup."""
    folder = tmp_path_factory.mktemp("data")
    with (folder / "grapes.csv").open("w", newline="") as file:
        SAMPLES["wine"]().write_csv(file)
    with (folder / "evil.csv").open("w", newline="") as file:
        rows = [[index % 7, "ab"[index % 2], EVIL if index % 2 else "plain"] for index in range(120)]
        csv.writer(file).writerows([["size", EVIL, "label"], *rows])
    submit(stack, folder, "grapes", INSTANCES)
    submit(stack, folder, "grapes", {**INSTANCES, "strategy": "ab"})
    submit(stack, folder, "evil", INSTANCES)


def submit(stack: LocalStack, folder: Path, name: str, deployment: Mapping[str, object]) -> None:
    spec = folder / f"{name}.json"
    spec.write_text(json.dumps({"algorithm": {"name": "xgboost", "hyperparameters": {"num_round": 5}}, "deployment": deployment}))
    run(stack, f"sageline submit {folder / name}.csv --spec {spec} --wait")


def run(stack: LocalStack, command: str) -> str:
    """What a command prints that a person types into a shell that is set up for the stack."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "SAGELINE_HOME": str(stack.home), "PATH": path}
    script = f'eval "$(sageline local env)"\n{command}'
    return subprocess.run(["/bin/sh", "-c", script], env=environment, check=True, capture_output=True, text=True).stdout


def weights(connection: Connection) -> list[float]:
    return [variant["weight"] for variant in connection.api.endpoint("grapes")["variants"]]


def test_a_row_is_tried_and_the_form_keeps_what_was_typed(window: Window, stack: LocalStack) -> None:
    window.open("endpoints")
    window.shows("grapes", "#rows")
    window.picture("list")
    window.click('a[href$="/endpoints/grapes"]')

    field = window.one('input[name="number:alcohol"]')
    field.clear()
    field.send_keys("12.1", Keys.ENTER)

    said = window.shows("Probabilities of all labels", "#answer")
    assert said.count(" %") == 4, "the label's, and those of all three"
    assert "Answered by grapes-" in said
    assert field.get_attribute("value") == "12.1"
    window.click("#answer summary")
    assert '"alcohol": 12.1' in window.one("#copy-json").text
    window.whole()
    window.picture("try-a-row")
    for copied in ("#copy-curl", "#copy-command"):
        assert "class_" in run(stack, window.one(copied).text), copied

    window.driver.back()
    window.shows("grapes", "#rows")
    window.driver.forward()
    assert window.one('input[name="number:alcohol"]').get_attribute("value") == "12.1", "it is there after going back"
    assert window.complaints() == []


def test_traffic_is_drawn(window: Window) -> None:
    window.open("endpoints/grapes")
    window.one("#traffic svg.plot")
    assert "Latency of the model" in window.shows("Requests", "#traffic")
    window.whole()
    window.picture("endpoint")
    window.open("endpoints/grapes", dark=True)
    window.whole()
    window.picture("endpoint-dark")
    assert window.complaints() == []


def test_the_shares_are_set_with_the_keyboard_and_add_up(window: Window, connection: Connection) -> None:
    window.open("endpoints/grapes")
    slider = window.one("#slider-1")

    slider.send_keys(Keys.HOME, *[Keys.ARROW_RIGHT] * 20)

    assert [window.one(f"#share-{index}").get_attribute("value") for index in (1, 2)] == ["20", "80"]
    window.click("#apply-split")
    window.shows("The traffic is split", "#outcome")
    assert weights(connection) == [20, 80]


def test_what_another_console_changes_is_shown_and_focus_stays(window: Window, connection: Connection) -> None:
    window.open("endpoints/grapes")
    window.shows("80 %", "#status")
    window.until(lambda: window.one("#share-2").get_attribute("value") == "80", "the controls are there")
    window.script("document.getElementById('share-1').focus()")

    names = [variant["name"] for variant in connection.api.endpoint("grapes")["variants"]]
    connection.api.change_endpoint("grapes", {"weights": dict(zip(names, [60, 40], strict=True))})

    window.shows("60 %", "#status")
    window.until(lambda: window.one("#share-1").get_attribute("value") == "60", "the controls say so too")
    assert window.script("return document.activeElement.id") == "share-1"


def test_a_time_to_live_is_given(window: Window, connection: Connection) -> None:
    window.open("endpoints/grapes")
    window.click("#ends-never")
    window.click("#set-end")
    window.shows("is kept until somebody deletes it", "#outcome")
    window.shows("never", "#status")
    assert connection.api.endpoint("grapes")["expires_at"] is None


def test_a_phone_has_all_of_it_without_scrolling_sideways(window: Window) -> None:
    for path in ("endpoints", "endpoints/grapes"):
        window.open(path, PHONE)
        window.one("#rows a" if path == "endpoints" else "#traffic svg.plot")
        if path != "endpoints":
            window.whole()
            window.click("#predict")
            window.shows("Probabilities", "#answer")
        assert window.script("return document.documentElement.scrollWidth") <= PHONE, path
        small = window.script(
            "return [...document.querySelectorAll('main button, main select, main input:not([type=hidden], [type=radio])')]"
            ".filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 36).map((e) => e.outerHTML)"
        )
        assert small == [], "a finger hits them"
        window.picture(f"phone-{'list' if path == 'endpoints' else 'endpoint'}")


def test_names_that_are_markup_are_text(window: Window) -> None:
    window.open("endpoints/evil")
    assert EVIL in window.shows("label", "#try")
    window.click("#predict")
    assert EVIL in window.shows("Probabilities", "#answer")
    assert window.every("main img") == []
    window.picture("names-that-are-markup")
    assert window.complaints() == []


def test_one_variant_is_promoted_and_rolled_back(window: Window, connection: Connection) -> None:
    window.open("endpoints/grapes")
    window.click("#promote-2")
    window.click("#promote")
    assert "Give this variant all the traffic?" in window.confirm()
    window.shows("has all the traffic", "#outcome")
    window.until(lambda: len(connection.api.endpoint("grapes")["variants"]) == 1, "the other variant went")
    window.until(lambda: not window.every("#apply-split"), "there is nothing to split")

    window.until(lambda: window.one("#roll-back").text == "Roll back", "the run is done")
    window.click("#roll-back")
    window.confirm()
    window.shows("goes back to what it served before", "#outcome")
    window.until(lambda: len(window.every("#status tbody tr")) == 2, "both variants serve again")
    window.until(lambda: window.every("#apply-split"), "and can be split")
    assert len(weights(connection)) == 2


def test_a_stack_that_goes_down_is_said_and_comes_back_by_itself(window: Window, switch: Switch) -> None:
    window.open("endpoints")
    window.shows("grapes", "#rows")

    switch.go_down()
    assert "This page goes on when it is back" in window.shows("The stack does not answer", "#connection")
    assert window.one("#connection").is_displayed()
    assert "grapes" in window.one("#rows").text, "what was there is still to be read"
    window.picture("stack-is-down")
    switch.come_back()

    window.until(lambda: not window.one("#connection").is_displayed() or None, "it is gone again")
    assert "grapes" in window.shows("grapes", "#rows")
    assert window.one("#connection").text == ""


def test_an_endpoint_is_deleted_when_its_name_is_typed_and_another_window_says_so(window: Window, connection: Connection) -> None:
    window.until(lambda: connection.api.endpoint("grapes")["status"] == "InService", "SageMaker has done what was asked before")
    window.open("endpoints/grapes")
    window.one("#status dl")
    first = window.driver.current_window_handle
    window.driver.switch_to.new_window("tab")
    window.open("endpoints/grapes")

    window.click("#open-deletion")
    said = window.shows("Type the endpoint's name", "#deletion")
    assert "endpoints/grapes/routing.json" in said
    assert not window.one("#delete").is_enabled()
    window.picture("delete")
    window.one("#typed").send_keys("grapes")
    window.click("#delete")

    assert "endpoint/grapes" in window.shows("Endpoint grapes is deleted.")
    window.picture("deleted")
    window.driver.close()
    window.driver.switch_to.window(first)
    window.shows("This endpoint is gone.")
    window.click(".trail a")
    window.shows("evil", "#rows")
    assert "grapes" not in window.one("#rows").text
