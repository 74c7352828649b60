"""``make fixture``: runs, endpoints and objects that the golden events name, in a stack that is brought up if it is down."""

from __future__ import annotations

import os
import sys
import time

from rich.markup import escape

from sageline.errors import SagelineError
from sageline_cli.connection import local_home
from sageline_cli.options import stdout
from sageline_local.fixture.make import make_fixture
from sageline_local.progress import ConsoleProgress
from sageline_local.stack import LocalStack


def main() -> int:
    console = stdout()
    port = os.environ.get("SAGELINE_PORT", "")
    if port and not port.isdecimal():
        console.print(f"SAGELINE_PORT is {port!r}; expected a number.")
        return 2
    stack, began = LocalStack(local_home(os.environ), int(port) if port else None), time.monotonic()
    try:
        with ConsoleProgress(console) as progress:
            stack.up(progress)
            made = make_fixture(stack, progress)
    except SagelineError as error:
        console.print(f"[red]{escape(error.message)}[/]")
        return 1
    console.print(
        f"{len(made)} runs made, after {time.monotonic() - began:.1f} s. Everything that the golden events name is there."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
