"""The three servers of a stack: how each is started, and how to tell that it is ready."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sageline_local import environment, keys, processes
from sageline_local.errors import StartFailed
from sageline_local.home import Home
from sageline_local.ports import Ports
from sageline_local.processes import ProcessRef

TITLES = {"ministack": "MiniStack", "autoscaling": "Application Auto Scaling", "sagemaker": "SageMaker"}


@dataclass(frozen=True)
class Service:
    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    port: int
    ready_path: str
    log: Path
    start_seconds: float
    """How long it may take to be ready."""
    stop_seconds: float
    """How long it may take to save its state and end."""

    @property
    def title(self) -> str:
        return TITLES[self.name]

    def start(self) -> ProcessRef:
        return processes.start([sys.executable, *self.arguments], self.environment, self.log)

    def wait_until_ready(self, process: ProcessRef) -> None:
        """
        Raises:
            StartFailed: it ended, or was not ready in time; with the last lines of its log.
        """
        deadline = time.monotonic() + self.start_seconds
        while not self.answers():
            if not process.alive:
                raise StartFailed(f"{self.title} ended while starting. The end of {self.log}:\n{processes.tail(self.log)}")
            if time.monotonic() > deadline:
                raise StartFailed(
                    f"{self.title} was not ready after {self.start_seconds:.0f} s. "
                    f"The end of {self.log}:\n{processes.tail(self.log)}"
                )
            time.sleep(processes.POLL_SECONDS)

    def answers(self, patience: float = 2.0) -> bool:
        """``patience``: for how many seconds a server that is busy may keep its answer back."""
        return processes.answers(self.port, self.ready_path, patience)


def services(home: Home, ports: Ports, machine: Mapping[str, str]) -> list[Service]:
    """All, in the order in which they start. They stop in the same order: runs stand still before their jobs end."""
    return [ministack(home, ports, machine), autoscaling(home, ports, machine), sagemaker(home, ports, machine)]


def ministack(home: Home, ports: Ports, machine: Mapping[str, str]) -> Service:
    """MiniStack: everything of AWS but SageMaker and Application Auto Scaling."""
    return Service(
        name="ministack",
        arguments=("-m", "sageline_local.ministack_server"),
        environment={
            **_common(home, machine),
            "GATEWAY_PORT": str(ports.ministack),
            "AUTH": "true",
            # It listens on every interface, and for IoT devices and SFTP, unless told otherwise.
            "BIND_HOST": "127.0.0.1",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            # It would look for containers of another MiniStack to clean up.
            "DOCKER_HOST": "unix:///nonexistent/docker.sock",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(home.state.resolve()),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(home.objects.resolve()),
            "TMPDIR": str(home.scratch.resolve()),
            "MINISTACK_ACCOUNT_ID": environment.ACCOUNT,
            "MINISTACK_REGION": environment.REGION,
            # Handed on to every function.
            **environment.endpoints_beside_ministack(ports),
        },
        port=ports.ministack,
        ready_path="/_ministack/ready",
        log=home.log("ministack"),
        start_seconds=30,
        stop_seconds=15,
    )


def autoscaling(home: Home, ports: Ports, machine: Mapping[str, str]) -> Service:
    """Application Auto Scaling."""
    return Service(
        name="autoscaling",
        arguments=("-m", "sageline_local.autoscaling_server", "--port", str(ports.autoscaling)),
        environment={**_common(home, machine), "MOTO_ACCOUNT_ID": environment.ACCOUNT},
        port=ports.autoscaling,
        ready_path="/ping",
        log=home.log("autoscaling"),
        start_seconds=30,
        stop_seconds=5,
    )


def sagemaker(home: Home, ports: Ports, machine: Mapping[str, str]) -> Service:
    """SageMaker."""
    return Service(
        name="sagemaker",
        arguments=(
            *("-m", "sagemaker_emulator", "--port", str(ports.sagemaker), "--home", str(home.sagemaker.resolve())),
            # Containers shall find none of what the stack knows: objects, keys, other jobs.
            *("--hide", str(home.root.resolve())),
            # Functions call with keys that sageline_local.session_keys gives them.
            "--derived-keys",
        ),
        environment={**_common(home, machine), "AWS_ENDPOINT_URL": environment.endpoint(ports.ministack)},
        port=ports.sagemaker,
        ready_path="/ping",
        log=home.log("sagemaker"),
        start_seconds=60,
        stop_seconds=10,
    )


def _common(home: Home, machine: Mapping[str, str]) -> dict[str, str]:
    return {**environment.for_services(machine, keys.read(home)), processes.MARKER: str(home.root.resolve())}
