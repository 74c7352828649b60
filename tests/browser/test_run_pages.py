"""A file dropped on the console's page and what becomes of it, in a real browser: the upload to S3, what was found, the run as it
goes, its report; a run that fails; a run that is stopped."""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from sageline_cli.connection import connect_to_local
from sageline_local.stack import LocalStack
from tests.browser.console_window import PHONE, Window

pytestmark = [pytest.mark.stack, pytest.mark.browser]

EVIL = "<img src=x onerror=alert(1)>"
FORMULA = "{{7*7}}"
RUN_SECONDS = 300
"""That a run, or what it begins with, may take on a machine that has other work to do."""
SCRIPT = f"""
for epoch in range(30):
    print(f"epoch {{epoch}} loss {{1 / (epoch + 1)}}")
print("read {EVIL}")
raise RuntimeError("no column {EVIL}")
"""


@pytest.fixture(autouse=True)
def _no_complaints(window: Window) -> Iterator[None]:
    yield
    assert window.complaints() == []


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table whose file, columns and values have names that are markup."""
    draw = random.Random(0)
    path = tmp_path_factory.mktemp("data") / f"Orders {FORMULA}.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["order_id", "price", EVIL, FORMULA, "returned"])
        for number in range(600):
            price = draw.gauss(100, 30)
            returned = "yes" if price + draw.gauss(0, 20) > 110 else "no"
            writer.writerow([f"A{number:06}", f"{price:.2f}", draw.choice(["red", EVIL]), draw.randint(0, 50), returned])
    return path


def drop(window: Window, name: str, content: str) -> None:
    """A file, as a person drags it onto the page."""
    window.one("#drop")
    window.script(
        """
        const dropped = new DataTransfer();
        dropped.items.add(new File([arguments[1]], arguments[0]));
        const about = { dataTransfer: dropped, bubbles: true, cancelable: true };
        document.getElementById("drop").dispatchEvent(new DragEvent("drop", about));
        """,
        name,
        content,
    )


def upload(window: Window, path: Path, name: str) -> None:
    """To the page that shows what was found."""
    window.one("#file").send_keys(str(path))
    send(window, name)


def send(window: Window, name: str) -> None:
    """The file that was chosen or dropped."""
    field = window.one("#name")
    field.clear()
    field.send_keys(name, Keys.ENTER)
    window.until(lambda: "/new/review" in window.driver.current_url or None, "the upload is done")
    window.one("#start-run")


def run_id(window: Window) -> str:
    window.until(lambda: "/runs/" in window.driver.current_url or None, "the run's page is there")
    return window.driver.current_url.rpartition("/")[2]


def ends(window: Window, status: str) -> None:
    def ended() -> bool:
        live = window.driver.find_element("css selector", "#live")
        return live.get_attribute("data-status") == f"The run has ended: {status}"

    window.until(ended, f"the run has ended: {status}", RUN_SECONDS)


def test_from_a_dropped_file_to_a_prediction(window: Window, stack: LocalStack, orders: Path) -> None:
    window.open("new")
    window.picture("new")
    drop(window, orders.name, orders.read_text())
    send(window, "orders")

    said = window.shows("Predicts returned (classification)")
    assert EVIL in said
    assert FORMULA in said
    assert "At most $0.69" in said
    assert window.every("main img") == []
    window.picture("review")

    number = next(i for i, cell in enumerate(window.every(".columns tbody th"), start=1) if cell.text == FORMULA)
    kind = window.one(f"#kind-{number}")
    Select(kind).select_by_visible_text("left out")
    window.shows("from 2 of 4 columns")
    assert f"as.{FORMULA}=ignore" in unquote(window.driver.current_url)
    assert window.driver.switch_to.active_element.get_attribute("id") == f"kind-{number}"
    window.driver.back()
    window.shows("from 3 of 4 columns")
    window.driver.forward()
    window.shows("from 2 of 4 columns")

    window.click("#start-run")
    run = run_id(window)
    assert run.startswith("orders-")
    window.shows("Learning curve", seconds=RUN_SECONDS)
    window.picture("training")
    assert "train" in window.one(".log").text
    ends(window, "Succeeded")
    assert "every 2s" not in str(window.one("#live").get_attribute("outerHTML")), "it asks no more"
    window.shows("Algorithms, best first")
    window.shows("What was chosen, and why")
    assert window.every("main img") == []
    window.picture("succeeded")
    assert window.one("#to-endpoint").text == "orders"
    spec = connect_to_local({"SAGELINE_HOME": str(stack.home)}).s3.get_object(
        Bucket=stack.status().bucket, Key=f"runs/{run}/given-spec.json"
    )
    assert json.loads(spec["Body"].read())["dataset"]["kinds"] == {FORMULA: "ignore"}

    window.click("#try")
    price = window.one('input[name="number:price"]')
    price.clear()
    price.send_keys("190", Keys.ENTER)
    answered = window.shows("Probabilities of all labels", "#answer")
    assert answered.splitlines()[1].startswith("yes "), "of so dear an order"
    assert f"Answered by {run}" in answered
    window.picture("predicted")

    window.open(f"runs/{run}/report")
    window.shows("accepted", "h1")
    assert window.script("return self.origin") == "null"

    window.open(f"runs/{run}", PHONE, dark=True)
    window.one("#live")
    assert window.script("return document.documentElement.scrollWidth") == PHONE
    window.picture("succeeded-phone-dark")
    window.open("", PHONE)
    window.one("#list tbody a")
    assert window.script("return document.documentElement.scrollWidth") == PHONE
    window.picture("runs-phone")


def test_a_dropped_file_is_named_after_its_name(window: Window) -> None:
    window.open("new")
    drop(window, f"Träume & Söhne {EVIL}.csv.gz", "a,b")

    assert window.one("#name").get_attribute("value") == "traume-sohne-img-src-x-onerror-a"
    assert EVIL in window.one("#chosen-file").text
    assert window.every("main img") == []


def test_the_focus_stays_while_the_list_renews_itself(window: Window) -> None:
    window.open("")
    link = window.one("#list tbody th a")
    window.script("arguments[0].focus()", link)
    identifier = link.get_attribute("id")

    window.script("window.before = document.getElementById('list')")
    window.until(lambda: window.script("return !window.before.isConnected"), "the list has renewed itself")

    assert window.driver.switch_to.active_element.get_attribute("id") == identifier


def test_a_failed_run_shows_its_reason_its_advice_and_its_log(window: Window, stack: LocalStack, orders: Path) -> None:
    source = orders.parent / "source"
    source.mkdir()
    (source / "train.py").write_text(SCRIPT)
    spec = orders.parent / "spec.json"
    spec.write_text(
        json.dumps({"algorithm": {"name": "script", "script": {"source_dir": "source", "framework": "scikit-learn"}}})
    )
    sageline = str(Path(sys.executable).parent / "sageline")
    command = [sageline, "submit", str(orders), "--name", "broken", "--spec", str(spec), "--json"]
    subprocess.run(command, env={**os.environ, "SAGELINE_HOME": str(stack.home)}, check=True, capture_output=True)

    window.open("?name=broken")
    window.click("#list tbody th a")
    ends(window, "Failed")

    said = window.shows("Why it failed")
    assert (
        said.index("Why it failed") < said.index("What to try") < said.index("Last lines of the log") < said.index("What it did")
    )
    assert f"read {EVIL}" in window.one("#failed-lines").text
    assert window.every("main img") == []
    window.picture("failed")
    window.open(f"runs/{run_id(window)}", PHONE)
    window.shows("Why it failed")
    assert window.script("return document.documentElement.scrollWidth") == PHONE
    window.picture("failed-phone")


def test_a_run_is_stopped_with_the_keyboard_after_a_question(window: Window, orders: Path) -> None:
    window.open("new")
    upload(window, orders, "stopped")
    window.click("#start-run")
    run_id(window)

    window.one("#stop").send_keys(Keys.ENTER)
    dialog = window.one("#stop-dialog[open]")
    assert "Let it go on" in window.driver.switch_to.active_element.text
    window.picture("stop")
    window.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    window.until(lambda: not dialog.is_displayed() or None, "the question is closed")
    assert window.driver.switch_to.active_element.get_attribute("id") == "stop"
    window.one("#stop").send_keys(Keys.ENTER)
    window.one("#stop-now").send_keys(Keys.ENTER)

    ends(window, "Stopped")
    window.shows("Why it was stopped")


def test_a_cancelled_upload_leaves_nothing_in_the_bucket(window: Window, stack: LocalStack, tmp_path: Path) -> None:
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(600 << 20)
    s3 = connect_to_local({"SAGELINE_HOME": str(stack.home)}).s3
    window.open("new")
    window.one("#file").send_keys(str(large))
    window.one("#name").send_keys(Keys.ENTER)
    window.shows("left", "#sending-how")
    window.picture("uploading")

    window.click("#cancel")

    window.until(lambda: "Uploads" not in s3.list_multipart_uploads(Bucket=stack.status().bucket) or None, "nothing is left")
    assert window.one("#send").is_displayed()
    # Leaving the page cancels too.
    window.click("#send")
    window.shows("left", "#sending-how")
    window.open("")
    window.until(lambda: "Uploads" not in s3.list_multipart_uploads(Bucket=stack.status().bucket) or None, "nothing is left")


def test_a_file_that_is_no_table_says_why_and_can_be_discarded(window: Window, stack: LocalStack, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("a,b\n")
    window.open("new")
    upload(window, tmp_path / "empty.csv", "empty")
    window.shows("This does not work yet")
    assert not window.one("#start-run").is_enabled()
    window.picture("unusable")

    window.click("#discard")
    window.click("#discard-dialog .danger")

    window.until(lambda: window.driver.current_url.endswith("/new") or None, "another file may be chosen")
    s3 = connect_to_local({"SAGELINE_HOME": str(stack.home)}).s3
    assert "Contents" not in s3.list_objects_v2(Bucket=stack.status().bucket, Prefix="datasets/empty/")
