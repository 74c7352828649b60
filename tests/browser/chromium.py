"""A page in a real browser: Chromium without a window, of this machine's packages."""

from __future__ import annotations

import http.server
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from typing import Any

REBOUND = "rebound.example"
"""A name of the Internet that leads to this machine."""

_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1",
)
_SECONDS = 90


def program() -> str:
    """Where the browser is.

    Raises:
        FileNotFoundError: it is not installed.
    """
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    raise FileNotFoundError("Chromium is not installed: `apt-get install chromium` installs it on Debian.")


def report_of(page: str, profile: Path) -> Any:
    """What the script of a page reports with ``POST /report`` (JSON, hence Any). The page is served by 127.0.0.1."""
    with _served(page) as (url, reports):
        command = [program(), *_FLAGS, f"--user-data-dir={profile}", url]
        with (profile.parent / "chromium.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as browser:
            try:
                return reports.get(timeout=_SECONDS)
            except Empty:
                raise AssertionError(f"The page reported nothing: see {log.name}.") from None
            finally:
                browser.terminate()


@contextmanager
def _served(page: str) -> Iterator[tuple[str, Queue[Any]]]:
    reports: Queue[Any] = Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page.encode())

        def do_POST(self) -> None:
            reports.put(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", reports
    finally:
        server.shutdown()
        server.server_close()
