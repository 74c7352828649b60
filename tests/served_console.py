"""The console of a stack, served by this process."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from sageline_cli.console.app import create_app
from sageline_cli.console.guard import Address
from sageline_cli.console.listener import listener
from sageline_cli.console.stack import StackAccess


@contextmanager
def served(access: StackAccess, bucket_origin: str) -> Iterator[str]:
    """The console on a free port; its address. ``bucket_origin``: where a page may upload files to."""
    listening = listener(0)
    address = Address(listening.getsockname()[1], secrets.token_urlsafe(24))
    server = uvicorn.Server(uvicorn.Config(create_app(access, address, bucket_origin), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    try:
        yield address.url
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
