"""A browser that looks at the console of a stack."""

from __future__ import annotations

import base64
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from selenium.common.exceptions import NoAlertPresentException, NoSuchElementException, StaleElementReferenceException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.remote.webelement import WebElement

from sageline_cli.connection import Connection
from sageline_cli.console.stack import StackAccess
from sageline_cli.errors import CommandFailed
from tests.browser import chromium

T = TypeVar("T")
_FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
_SECONDS = 60.0
PHONE, DESKTOP = 390, 1280
"""Widths in pixels."""


class Switch:
    """A stack that can be made to look as if it were down."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect, self._is_down = connect, False
        self.access = StackAccess("local stack", self._find)

    def go_down(self) -> None:
        self._is_down = True
        self.access.forget()

    def come_back(self) -> None:
        self._is_down = False

    def _find(self) -> Connection:
        if self._is_down:
            raise CommandFailed("The local stack does not answer: `sageline local up` starts it.", "Unreachable")
        return self._connect()


@dataclass(frozen=True)
class Window:
    """A browser's window. What is asked for is waited for, up to a minute if nothing else is said."""

    driver: Chrome
    url: str
    screenshots: Path

    def open(self, path: str, width: int = DESKTOP, *, dark: bool = False) -> None:
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width == PHONE}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        self.driver.get(self.url + path)

    def one(self, selector: str) -> WebElement:
        return self.until(lambda: self.driver.find_element("css selector", selector), selector)

    def every(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements("css selector", selector)

    def click(self, selector: str) -> None:
        """As a person does: what is not to be seen cannot be clicked, and what is disabled is waited for."""

        def clicked() -> bool:
            element = self.driver.find_element("css selector", selector)
            self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
            if not element.is_enabled():
                return False
            element.click()
            return True

        self.until(clicked, f"{selector} can be clicked")

    def confirm(self) -> str:
        """Say yes to the browser's question; what it was."""
        alert = self.until(lambda: self.driver.switch_to.alert, "the browser asks")
        asked: str = alert.text
        alert.accept()
        return asked

    def shows(self, text: str, selector: str = "main", seconds: float = _SECONDS) -> str:
        """Wait for a text; all that the element says."""

        def found() -> str | None:
            said = self.driver.find_element("css selector", selector).text
            return said if text in said else None

        return self.until(found, f"{selector} says {text!r}", seconds)

    def script(self, code: str, *arguments: object) -> Any:  # JSON
        return self.driver.execute_script(code, *arguments)

    def until(self, look: Callable[[], T | None], what: str, seconds: float = _SECONDS) -> T:
        """The first answer that is true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with suppress(NoSuchElementException, StaleElementReferenceException, NoAlertPresentException):
                if found := look():
                    return found
            time.sleep(0.05)
        self.picture("failure")
        raise AssertionError(f"Not within {seconds:.0f} s: {what}. The page says:\n{self.one('body').text}")

    def picture(self, name: str) -> None:
        """The whole page, also what is below the window's edge."""
        width, height = self.script("return [innerWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        taken = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        self.screenshots.mkdir(parents=True, exist_ok=True)
        (self.screenshots / f"{name}.png").write_bytes(base64.b64decode(taken["data"]))

    def complaints(self) -> list[str]:
        """What the browser has refused by the page's policy, and what its scripts did not catch, since the last question."""
        said = self.driver.get_log("browser")  # type: ignore[no-untyped-call]  # selenium's own
        found = [str(entry["message"]) for entry in said]
        return [message for message in found if "Content Security Policy" in message or "Uncaught" in message]

    def whole(self) -> None:
        """Wait for all parts of an endpoint's page."""
        for selector in ("#status dl", "#controls #roll-back", "#row-form", "#traffic > :not(p:only-child)"):
            self.one(selector)


@contextmanager
def browser(url: str, screenshots: Path) -> Iterator[Window]:
    options = ChromeOptions()
    options.binary_location = chromium.program()
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # A question such as "Go back?" is to be answered by the test.
    options.unhandled_prompt_behavior = "ignore"
    for flag in _FLAGS:
        options.add_argument(flag)
    driver = Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield Window(driver, url, screenshots)
    finally:
        driver.quit()
