"""One production variant: model data from S3 and a serving process."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
from botocore.exceptions import ClientError

from sagemaker_emulator import children
from sagemaker_emulator.archives import MODEL, Unacceptable, unpack
from sagemaker_emulator.engines import UnknownImage, engine_for
from sagemaker_emulator.hosting.connection import Address, listening
from sagemaker_emulator.isolation.machine import Containers
from sagemaker_emulator.objects import Objects
from sagemaker_emulator.own_files import read_own
from sagemaker_emulator.store import Document
from sagemaker_emulator.training.source import NO_DOWNLOAD, NoSource, fetch_source, is_scripted, refuse_source, source_uri

INVOCATION_SECONDS = 60.0
_STARTUP_SECONDS = 240.0
_STOP_GRACE_SECONDS = 30.0
_MOST_FAILURE_BYTES = 64 * 1024


class VariantFailed(Exception):
    """The variant did not start; the message is the endpoint's FailureReason."""


class Unhealthy(VariantFailed):
    """The container's program ended, or did not answer ``/ping``."""


class Replaced(Exception):
    """The variant is being ended, and others serve in its place."""


class Variant:
    """A serving process; made by :func:`launch`."""

    def __init__(self, name: str, child: children.Child, address: Address, home: Path) -> None:
        self.name = name
        self._child = child
        self.home = home
        self.address = address
        self._users = 0
        self._ending = False
        self._changed = threading.Condition()

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def has_ended(self) -> bool:
        return self._child.exit_status is not None

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """The variant is not ended before this is left; raises :class:`Replaced` where it is being ended already."""
        with self._changed:
            if self._ending:
                raise Replaced
            self._users += 1
        try:
            yield
        finally:
            with self._changed:
                self._users -= 1
                self._changed.notify_all()

    def wait_until_healthy(self) -> None:
        deadline = time.monotonic() + _STARTUP_SECONDS
        with self.address.client(_STARTUP_SECONDS) as client:
            while time.monotonic() < deadline and not self.has_ended:
                with contextlib.suppress(httpx.HTTPError):
                    if client.get("/ping").status_code == 200:
                        return
                time.sleep(0.05)
        raise Unhealthy(
            f"The primary container for production variant {self.name} did not pass the ping health check. "
            "Please check CloudWatch logs for this endpoint."
        )

    def end(self, *, keep_files: bool = False, grace: float = _STOP_GRACE_SECONDS) -> None:
        """SIGTERM when nobody uses it any more, or after ``grace`` seconds; SIGKILL as many later.

        ``keep_files`` leaves the unpacked model for the next start.
        """
        with self._changed:
            self._ending = True
            # A server that is told to end closes its open connections, also those on which a request is on its way.
            self._changed.wait_for(lambda: not self._users, timeout=grace)
        self._child.end(grace)
        if not keep_files:
            shutil.rmtree(self.home, ignore_errors=True)


def launch(
    objects: Objects,
    allowed: Callable[[str, str], bool],
    container: Document,
    *,
    name: str,
    home: Path,
    log: Callable[[str], None],
    ended: Callable[[int], None],
    containers: Containers,
    isolated: bool,
    role: Callable[[], Mapping[str, str]] = dict,
) -> Variant:
    """Fetch the model data, start the container's program and wait until it is healthy; raises :class:`VariantFailed`.

    Model data that is in ``home`` already is used as it is, and stays when the variant does not start: one that comes back
    needs neither S3 nor its role.

    ``ended`` is called with the process id when the process is gone, for whatever reason. ``role`` gives the variables by
    which the customer's own code calls AWS as the execution role; SageMaker's own programs get none. ``isolated`` is the
    model's EnableNetworkIsolation.
    """
    requested = {str(key): str(value) for key, value in container.get("Environment", {}).items()}
    try:
        engine = engine_for(container["Image"], scripted=is_scripted({}, requested))
    except UnknownImage as error:
        raise VariantFailed(str(error)) from error
    comes_back = (home / "model").is_dir()
    if not comes_back:
        source = source_uri({}, requested) if engine.serves_fetched_code else None
        if source and isolated:
            log(f"{source}: {NO_DOWNLOAD}")
            raise _no_code(refuse_source(source))
        _fetch_model(objects, allowed, container.get("ModelDataUrl"), home, source)
    (home / "failure").unlink(missing_ok=True)
    environment = {**dict(engine.environment), **(role() if engine.runs_scripts else {}), **requested}
    with (
        containers.cluster(home, isolated=isolated) as cluster,
        listening(own_network=cluster.has_own_network) as (listener, address),
    ):
        if cluster.shortfall:
            log(cluster.shortfall)
        arguments = ["--root", str(home), "--socket", str(listener.fileno())]
        child = cluster.start(engine.serve_module, arguments, environment, home, keep_open=listener.fileno())

    def follow() -> None:
        child.follow(log)
        cluster.end()
        ended(child.pid)

    threading.Thread(target=follow, name=f"follow-{name}", daemon=True).start()
    variant = Variant(name, child, address, home)
    try:
        variant.wait_until_healthy()
    except VariantFailed as error:
        reason = _failure_text(home)
        variant.end(keep_files=comes_back)
        raise type(error)(f"{error} {reason}".rstrip()) from error
    return variant


def _failure_text(home: Path) -> str:
    """What the program has left as the reason why it can not serve."""
    return read_own(home, home / "failure", _MOST_FAILURE_BYTES)


def _fetch_model(objects: Objects, allowed: Callable[[str, str], bool], uri: str | None, home: Path, source: str | None) -> None:
    """Make ``home/model``, complete or not at all, and before that ``home/code`` when there is a ``source`` of it."""
    shutil.rmtree(home, ignore_errors=True)
    unpacked = home / "unpacking"
    unpacked.mkdir(parents=True)
    try:
        if source:
            fetch_source(objects, allowed, source, home / "code")
    except NoSource as error:
        raise _no_code(error) from error
    if uri:
        _unpack(uri, _download(objects, allowed, uri, home), unpacked)
    unpacked.rename(home / "model")


def _no_code(error: NoSource) -> VariantFailed:
    return VariantFailed(f"The code of the model can not be loaded. {error}")


def _download(objects: Objects, allowed: Callable[[str, str], bool], uri: str, home: Path) -> Path:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    missing = VariantFailed(
        f'Failed to download model data for container "container_1" from URL: "{uri}". Please ensure that there is an object '
        "located at the URL and that the role passed to CreateModel has permissions to download the object."
    )
    if not allowed("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}"):
        raise missing
    archive = home / "model.tar.gz"
    try:
        objects.download(bucket, key, archive)
    except ClientError as error:
        raise missing from error
    return archive


def _unpack(uri: str, archive: Path, target: Path) -> None:
    try:
        unpack(archive, target, MODEL)
    except (Unacceptable, OSError) as error:
        raise VariantFailed(
            f'Failed to extract model data archive for container "container_1" from URL "{uri}". Please ensure that the object '
            f"located at the URL is a valid tar.gz archive. ({error})"
        ) from error
    finally:
        archive.unlink()
