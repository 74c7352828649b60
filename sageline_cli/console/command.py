"""The command that opens the console."""

from __future__ import annotations

import contextlib
import secrets
import socket
import webbrowser
from urllib.parse import urlsplit

import click
import uvicorn

from sageline_cli.connection import connect
from sageline_cli.console.app import create_app
from sageline_cli.console.guard import Address
from sageline_cli.console.listener import listener
from sageline_cli.console.stack import StackAccess
from sageline_cli.options import StackCommand, stack_option

_USUAL_PORT = 8300
_TOKEN_BYTES = 24


@click.command(cls=StackCommand, short_help="Open pages that show the stack and work with it.")
@click.option("--port", type=click.IntRange(1, 65535), help=f"Where to listen. Default: {_USUAL_PORT}, or a free one.")
@click.option("--no-open", is_flag=True, help="Only print the address; open no browser.")
@stack_option
def console(port: int | None, no_open: bool, stack: str | None) -> None:
    """Open the console: drop a dataset, watch its run, try the endpoint, shift its traffic, delete it.

    It listens on this machine only, signs its requests with your own credentials, and ends with Ctrl-C. Who has the address that
    it prints can do what you can.
    """
    access = StackAccess(stack or "local stack", lambda: connect(stack))
    connection = access.get()
    upload_url = connection.watching.s3_presigner.generate_presigned_url(
        "put_object", Params={"Bucket": connection.bucket, "Key": "x"}
    )
    parts = urlsplit(upload_url)
    listening = _listen(port)
    address = Address(listening.getsockname()[1], secrets.token_urlsafe(_TOKEN_BYTES))
    app = create_app(access, address, f"{parts.scheme}://{parts.netloc}")
    click.echo(f"The console is at {address.url}\nCtrl-C ends it.")
    if not no_open:
        webbrowser.open(address.url)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, server_header=False))
    server.run(sockets=[listening])


def _listen(port: int | None) -> socket.socket:
    """A socket on the loopback: of that port, or of the usual one, or of any where that is taken.

    Raises:
        click.UsageError: the port that was asked for is taken.
    """
    for tried in (_USUAL_PORT, 0) if port is None else (port,):
        with contextlib.suppress(OSError):
            return listener(tried)
    raise click.UsageError(f"Port {port} is taken; name another one, or none.")
