"""The command ``sagemaker-emulator``: serve on the loopback interface until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import secrets
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

import uvicorn

from sagemaker_emulator.aws import Place
from sagemaker_emulator.guard.asgi import Guard
from sagemaker_emulator.guard.decision import Rules
from sagemaker_emulator.guard.keys import root_of, secrets_of
from sagemaker_emulator.listener import listen
from sagemaker_emulator.sdk_config import VARIABLE, write_config
from sagemaker_emulator.service import HomeInUse, LocalSageMaker
from sagemaker_emulator.surroundings import of_environment

_OWN_ROOT_ID = "emulator"
_LAST_PORT = 65_535


def main() -> None:
    arguments = parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # botocore and httpx tell every request at INFO; the service's own lines are the ones to read.
    for noisy in ("botocore", "httpx"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # Jobs have working directories of their own.
    home: Path = arguments.home.absolute()
    try:
        root_id, root_secret = root_key(os.environ, home)
        surroundings = of_environment(os.environ, home, arguments.s3)
    except ValueError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(_unusable(error))
    try:
        listener = listen(arguments.port)
    except OSError as error:
        sys.exit(f"Port {arguments.port} of 127.0.0.1 can not be used: {error.strerror}.")
    url = "http://{}:{}".format(*listener.getsockname())
    try:
        service = LocalSageMaker(home, surroundings, root_id, url=url, hidden=arguments.hide)
    except HomeInUse as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(_unusable(error))
    service.start()
    if arguments.derived_keys:
        secret_of = secrets_of(root_id, root_secret)
    else:
        secret_of = known_secrets(root_id, root_secret, service.credentials.secret_of)
    app = Guard(service.application(), Rules(secret_of))
    config = uvicorn.Config(app, log_config=None, access_log=False, proxy_headers=False, timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)

    def end(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    # uvicorn stops serving at either signal and then raises it again for whoever handled it before: that must not end the
    # process, there is state to close and there are children to end. Before it serves, the signal is for it all the same.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    _say(f"SageMaker listens at {url}. Ctrl-C ends it and everything that it has started; what is stored stays in {home}.")
    _say(*surroundings.notes)
    sdk = _sdk_variables(os.environ, home, surroundings.place)
    _say("In the shell of whatever shall use it:", *_exports(url, surroundings.place.region, root_id, root_secret, sdk))
    # What is there by now stays: no collection of garbage has to look through it, in the middle of a request.
    gc.collect()
    gc.freeze()
    try:
        server.run(sockets=[listener])
    finally:
        service.stop()
        _say("SageMaker has ended.")


def root_key(environment: Mapping[str, str], home: Path) -> tuple[str, str]:
    """Id and secret of who may do everything: the environment's, or a key that is made once and kept in ``home``.

    Raises:
        ValueError: the environment has half a key.
    """
    if environment.get("AWS_ACCESS_KEY_ID") or environment.get("AWS_SECRET_ACCESS_KEY"):
        return root_of(environment)
    file = home / "secret"
    if not file.exists():
        home.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(secrets.token_hex(20))
    return _OWN_ROOT_ID, file.read_text()


def known_secrets(root_id: str, root_secret: str, of_session: Callable[[str], str | None]) -> Callable[[str], str | None]:
    """From an access key id to its secret: the root's, and those of containers that were given credentials."""
    return lambda key: root_secret if key == root_id else of_session(key)


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(
        prog="sagemaker-emulator",
        description="SageMaker on this machine: training, tuning and transform jobs, models and endpoints, without Docker.",
    )
    parser.add_argument("--port", type=port, default=4567, help="port on 127.0.0.1, 0 for any free one (default: %(default)s)")
    parser.add_argument(
        "--home", type=Path, default=Path(".sagemaker-emulator"), help="directory for the service's state (default: %(default)s)"
    )
    parser.add_argument(
        "--s3",
        type=Path,
        metavar="DIR",
        help="a folder for S3, where neither AWS_ENDPOINT_URL nor AWS_ENDPOINT_URL_S3 is set (default: s3 in the home)",
    )
    parser.add_argument(
        "--hide",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a directory that no container shall see (may be repeated; default: the home)",
    )
    parser.add_argument(
        "--derived-keys",
        action="store_true",
        help="take temporary keys (ASIA...) of other servers whose secrets are derived from the root key's",
    )
    return parser


def _sdk_variables(environment: Mapping[str, str], home: Path, place: Place) -> dict[str, str]:
    """Where the SageMaker SDK's configuration is; with a folder for S3, it cannot use its default bucket anyway."""
    has_s3 = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
    return {VARIABLE: str(write_config(home, place))} if has_s3 else {}


def port(text: str) -> int:
    """The number of a port; raises argparse's error for one that no port has."""
    number = int(text)
    if not 0 <= number <= _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text} is not a port: they are numbered from 0 to {_LAST_PORT}")
    return number


def _unusable(error: OSError) -> str:
    return f"The directory {error.filename} can not be used: {error.strerror}."


def _exports(url: str, region: str, root_id: str, root_secret: str, sdk: Mapping[str, str]) -> list[str]:
    variables = {
        "AWS_ENDPOINT_URL_SAGEMAKER": url,
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": url,
        **sdk,
        "AWS_DEFAULT_REGION": region,
        # Who has set a key of their own knows it.
        **({"AWS_ACCESS_KEY_ID": root_id, "AWS_SECRET_ACCESS_KEY": root_secret} if root_id == _OWN_ROOT_ID else {}),
    }
    return [f"  export {name}={value}" for name, value in variables.items()]


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
