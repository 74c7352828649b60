"""MiniStack as it comes with the emulator beside it, each a process. Nothing but the standard library: also for other Pythons."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

KEY = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
_SECONDS = 60.0


@contextmanager
def servers(home: Path, python: str) -> Iterator[tuple[str, str]]:
    """The URLs of MiniStack and of the emulator, both started by the interpreter ``python``; their output is ``home/log``."""
    ministack, emulator = f"http://127.0.0.1:{_free_port()}", f"http://127.0.0.1:{_free_port()}"
    machine = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | KEY
    settings = {
        "GATEWAY_PORT": ministack.rpartition(":")[2],
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "AUTH": "true",
        "S3_DATA_DIR": str(home / "s3"),
        "STATE_DIR": str(home / "state"),
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
    }
    command = ["sagemaker_emulator", "--port", emulator.rpartition(":")[2], "--home", str(home / "home")]
    running: list[subprocess.Popen[bytes]] = []
    with (home / "log").open("wb") as log:
        try:
            for arguments, more, ready in (
                (["ministack"], settings, f"{ministack}/_ministack/ready"),
                (command, {"AWS_ENDPOINT_URL": ministack}, f"{emulator}/ping"),
            ):
                started = [python, "-m", *arguments]
                running.append(subprocess.Popen(started, cwd=home, env={**machine, **more}, stdout=log, stderr=log))
                _wait_for(ready)
            yield ministack, emulator
        finally:
            for process in reversed(running):
                process.terminate()
                process.wait(timeout=60)


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


def _wait_for(url: str) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            with direct.open(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.05)
