"""``python -m sagemaker_emulator --port P --home DIR``: serve on the loopback interface until SIGTERM."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from pathlib import Path

import uvicorn

from sagemaker_emulator.guard.asgi import Guard
from sagemaker_emulator.guard.decision import Rules
from sagemaker_emulator.guard.keys import root_of, secrets_of
from sagemaker_emulator.listener import listen
from sagemaker_emulator.service import HomeInUse, LocalSageMaker


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sagemaker_emulator", description="SageMaker on this machine.")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--home", type=Path, required=True, help="directory for the service's state")
    parser.add_argument(
        "--hide",
        type=Path,
        action="append",
        default=[],
        help="a directory that no container shall see (the service's own if none)",
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # botocore and httpx tell every request at INFO; the service's own lines are the ones to read.
    for noisy in ("botocore", "httpx", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        rules = Rules(secrets_of(*root_of(os.environ)))
        listener = listen(arguments.port)
    except ValueError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"Port {arguments.port} of 127.0.0.1 can not be used: {error.strerror}.")
    try:
        url = "http://{}:{}".format(*listener.getsockname())
        service = LocalSageMaker(arguments.home, os.environ, url=url, hidden=arguments.hide)
    except HomeInUse as error:
        sys.exit(str(error))
    service.start()
    # uvicorn stops serving at either signal and then raises it again for whoever handled it before: that must not end the
    # process, there is state to close and there are children to end.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    config = uvicorn.Config(Guard(service.application(), rules), log_config=None, timeout_graceful_shutdown=5)
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        service.stop()


if __name__ == "__main__":
    main()
