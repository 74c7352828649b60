"""The files of a local stack, and the record that it keeps between commands."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sageline_local.errors import StackBusy
from sageline_local.ports import Ports
from sageline_local.processes import ProcessRef


@dataclass(frozen=True)
class Home:
    """The directories and files of one stack. Everything that it writes is under ``root``."""

    root: Path

    @property
    def record_file(self) -> Path:
        return self.root / "stack.json"

    @property
    def fixture_file(self) -> Path:
        """The names of what the golden events need and the fixture has left in the stack."""
        return self.root / "fixture.json"

    @property
    def secret_file(self) -> Path:
        """The secret of the root user's key (:mod:`sageline_local.keys`)."""
        return self.root / "root-secret"

    @property
    def issuer_key_file(self) -> Path:
        """The private key of the stack's issuer of tokens (:mod:`sageline_local.issuer_key`)."""
        return self.root / "issuer-key.pem"

    @property
    def ministack(self) -> Path:
        return self.root / "ministack"

    @property
    def state(self) -> Path:
        return self.ministack / "state"

    @property
    def objects(self) -> Path:
        return self.ministack / "s3"

    @property
    def scratch(self) -> Path:
        """Temporary files of MiniStack: the unpacked functions, among others."""
        return self.ministack / "tmp"

    @property
    def sagemaker(self) -> Path:
        return self.root / "sagemaker"

    @property
    def sam(self) -> Path:
        """The SAM CLI's own settings, so that a user's are neither read nor changed."""
        return self.root / "sam"

    @property
    def invoke(self) -> Path:
        """Folders of commands that run functions by hand, for as long as they take."""
        return self.root / "invoke"

    def log(self, name: str) -> Path:
        return self.root / "logs" / f"{name}.log"

    def make(self) -> None:
        """Make the directories; only their owner may look in."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for directory in (self.state, self.objects, self.scratch, self.sagemaker, self.sam, self.root / "logs"):
            directory.mkdir(parents=True, exist_ok=True)

    def delete(self) -> None:
        """Delete what a stack has written; what else is in the directory stays, and so does the directory then."""
        for directory in (self.ministack, self.sagemaker, self.sam, self.invoke, self.root / "logs"):
            shutil.rmtree(directory, ignore_errors=True)
        for file in (self.record_file, self.fixture_file, self.secret_file, self.issuer_key_file, self.root / "lock"):
            file.unlink(missing_ok=True)
        if not any(self.root.iterdir()):
            self.root.rmdir()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One command at a time starts or stops the stack. The lock goes with the process, however that ends.

        Raises:
            StackBusy: another command holds it.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                holder = lock.read().strip()
                raise StackBusy(
                    f"Another command (process {holder or 'unknown'}) is starting or stopping the stack in {self.root}: "
                    "wait for it to end, or end it, then try again."
                ) from None
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield

    def busy(self) -> bool:
        """Whether a command holds the lock."""
        try:
            with (self.root / "lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            return False
        return False


@dataclass(frozen=True)
class DeployedStack:
    """What ``sam deploy`` left in MiniStack."""

    fingerprint: str
    """Of everything that was deployed; empty while a deployment is under way."""
    stack_id: str
    outputs: dict[str, str]


@dataclass(frozen=True)
class StackRecord:
    """The record of a stack: written whenever it changes, so that a command that is killed leaves the truth behind."""

    port: int | None = None
    sagemaker_port: int | None = None
    autoscaling_port: int | None = None
    processes: dict[str, ProcessRef] = field(default_factory=dict)
    """By service name; those that should be running."""
    parameters: dict[str, str] = field(default_factory=dict)
    """The template's parameters that were chosen at ``up``."""
    deployment: DeployedStack | None = None
    """The last one that was completed; None if none ever was."""

    @property
    def ports(self) -> Ports | None:
        """None if the stack has never been up."""
        if self.port is None or self.sagemaker_port is None or self.autoscaling_port is None:
            return None
        return Ports(self.port, self.sagemaker_port, self.autoscaling_port)

    def running(self, service: str) -> bool:
        return service in self.processes and self.processes[service].alive

    @staticmethod
    def load(home: Home) -> StackRecord:
        """The record of that home; an empty one if there is none, or it cannot be read."""
        try:
            saved = json.loads(home.record_file.read_bytes())
            return StackRecord(
                port=saved["port"],
                sagemaker_port=saved["sagemaker_port"],
                autoscaling_port=saved["autoscaling_port"],
                processes={name: ProcessRef(**reference) for name, reference in saved["processes"].items()},
                parameters=saved["parameters"],
                deployment=None if saved["deployment"] is None else DeployedStack(**saved["deployment"]),
            )
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            return StackRecord()

    def save(self, home: Home) -> None:
        temporary = home.record_file.with_suffix(".tmp")
        temporary.write_text(json.dumps(asdict(self), indent=2))
        temporary.replace(home.record_file)
