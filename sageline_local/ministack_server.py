"""MiniStack, with its state saved every few seconds and functions' errors named: ``python -m sageline_local.ministack_server``.

MiniStack itself saves its state at a clean shutdown only, so a killed one would forget everything. Configuration is by
its own environment variables. While the file ``paused`` is in its state directory nothing is saved, so that no
half-made deployment is.
"""

from __future__ import annotations

import logging
import os
import pickle
import sys
import threading
import zlib
from pathlib import Path

import psutil
from ministack import app as ministack
from ministack.core.persistence import STATE_DIR, save_state
from starlette.types import Message, Receive, Scope, Send

from sageline_local import (
    alarm_access,
    alarms,
    api_bodies,
    copy_checksums,
    default_key,
    distributed_map,
    function_errors,
    function_logs,
    function_sessions,
    ministack_guard,
    nested_executions,
    object_ranges,
    object_versions,
    schedule_access,
    service_roles,
    session_keys,
    shared_layers,
    state_timeouts,
    token_answers,
    version_memory,
)
from sageline_local.home import Home
from sageline_local.issuer import Issuer
from sageline_local.processes import MARKER
from sagemaker_emulator.guard.asgi import Guard
from sagemaker_emulator.guard.keys import root_of

INTERVAL_SECONDS = 5.0
_PAUSE_POLL_SECONDS = 0.2

logger = logging.getLogger("sageline.snapshots")


class Snapshots:
    """Saves each service's state when it has changed. ``saved`` in the state directory tells when that was done last."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._checksums: dict[str, int] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="snapshots", daemon=True)

    def start(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        (self._directory / "clean").unlink(missing_ok=True)
        self._thread.start()

    def stop(self) -> None:
        """Returns when nothing is being written any more, so that MiniStack can save."""
        self._stopping.set()
        self._thread.join()

    def mark_clean(self) -> None:
        """The whole state is on disk."""
        (self._directory / "clean").touch()

    def save(self) -> None:
        for name, get_state in ministack._build_persistence_save_dict().items():
            try:
                state = get_state()
                checksum = zlib.crc32(pickle.dumps(state))
            # Any service's state may change while it is copied: the next round gets it.
            except Exception as error:
                logger.debug("The state of %s was not read: %s", name, error)
                continue
            if state is not None and self._checksums.get(name) != checksum:
                save_state(name, state)
                self._checksums[name] = checksum
        (self._directory / "saved").touch()

    def _run(self) -> None:
        while not self._stopping.is_set():
            if (self._directory / "paused").exists():
                self._stopping.wait(_PAUSE_POLL_SECONDS)
                continue
            self.save()
            self._wait()

    def _wait(self) -> None:
        """Until it is time again, or a pause has begun (after which saving is due at once)."""
        for _ in range(int(INTERVAL_SECONDS / _PAUSE_POLL_SECONDS)):
            if self._stopping.wait(_PAUSE_POLL_SECONDS) or (self._directory / "paused").exists():
                return


def main() -> None:
    try:
        root_id, root_secret = root_of(os.environ)
    except ValueError as error:
        sys.exit(str(error))
    snapshots = Snapshots(Path(STATE_DIR))
    # Otherwise a line for every file that is saved.
    logging.getLogger("persistence").setLevel(logging.WARNING)
    alarm_access.install()
    alarms.install()
    api_bodies.install()
    copy_checksums.install()
    default_key.install()
    distributed_map.install()
    function_errors.install()
    function_logs.install()
    session_keys.install(root_secret)
    function_sessions.install()
    nested_executions.install()
    object_ranges.install()
    object_versions.install()
    schedule_access.install()
    service_roles.install()
    shared_layers.install()
    state_timeouts.install()
    token_answers.install()
    version_memory.install()
    serve = Issuer(ministack.app, Home(Path(os.environ[MARKER])), int(os.environ["GATEWAY_PORT"]))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            # The loopback is as private as TLS is, and the bucket's policy refuses what says that it came over less.
            scope["headers"] = [*scope["headers"], (b"x-forwarded-proto", b"https")]
        if scope["type"] != "lifespan":
            await serve(scope, receive, send)
            return

        async def receive_and_stop() -> Message:
            event = await receive()
            if event["type"] == "lifespan.shutdown":
                snapshots.stop()
            return event

        async def send_and_note(event: Message) -> None:
            if event["type"] == "lifespan.startup.complete":
                snapshots.start()
                alarms.start()
            elif event["type"] == "lifespan.shutdown.complete":
                snapshots.mark_clean()
                nested_executions.stop_waiting()
                _end_children()
            await send(event)

        await serve(scope, receive_and_stop, send_and_note)

    ministack.app = Guard(app, ministack_guard.rules(root_id, root_secret))
    ministack.main()


def _end_children() -> None:
    """Functions that still run would keep this process waiting for their answers."""
    for child in psutil.Process(os.getpid()).children(recursive=True):
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue


if __name__ == "__main__":
    main()
