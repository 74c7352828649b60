"""The Docker daemon of this machine, if one answers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sageline_local import build
from sageline_local.errors import BuildFailed, DockerMissing, InvokeFailed

_ANSWER_SECONDS = 60.0
# A quarter of a gigabyte.
_FETCH_SECONDS = 1200.0


@dataclass(frozen=True)
class Engine:
    address: str
    """As in ``DOCKER_HOST``: the SAM CLI does not know of Docker's contexts."""
    architecture: str
    """Of its containers, as uv names it."""
    shares_sockets: bool
    """Whether a container can connect to a unix socket of this machine."""
    machine: Mapping[str, str]
    """The environment in which it was found."""

    def variables(self) -> dict[str, str]:
        """The environment of a program that is to use this daemon."""
        return {**self.machine, "DOCKER_HOST": self.address}

    def has_image(self, tag: str) -> bool:
        return _docker(["image", "inspect", tag], self.variables()).returncode == 0

    def fetch_image(self, tag: str) -> None:
        """
        Raises:
            InvokeFailed: with what Docker says.
        """
        self._do(["pull", "--quiet", tag], _FETCH_SECONDS)

    def make_network(self, name: str) -> None:
        """
        Raises:
            InvokeFailed: with what Docker says.
        """
        self._do(["network", "create", name])

    def remove_network(self, name: str) -> None:
        """Remove a network, if it is there."""
        _docker(["network", "rm", name], self.variables())

    def run_beside(self, options: Sequence[str], command: Sequence[str]) -> subprocess.Popen[str]:
        """Start a container that lives until its stdin ends; it is removed then."""
        return subprocess.Popen(
            ["docker", "run", "--rm", "--interactive", *options, *command],  # noqa: S607 # the one on the PATH is the user's
            env=self.variables(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def address_of(self, container: str) -> str:
        """A container's address in the network that it is in.

        Raises:
            InvokeFailed: with what Docker says.
        """
        return self._do(["inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container]).strip()

    def remove_containers_of(self, folder: Path) -> int:
        """Remove the containers that have a folder inside this one mounted; how many there were."""
        listed = self._do(["ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.Mounts}}"])
        found = [line.split(" ", 1)[0] for line in listed.splitlines() if f"{folder}/" in line]
        if found:
            _docker(["rm", "--force", *found], self.variables())
        return len(found)

    def _do(self, arguments: Sequence[str], seconds: float = _ANSWER_SECONDS) -> str:
        try:
            done = _docker(arguments, self.variables(), seconds)
        except subprocess.TimeoutExpired:
            raise InvokeFailed(f"`docker {' '.join(arguments)}` did not end within {seconds:.0f} s.") from None
        if done.returncode:
            raise InvokeFailed(f"`docker {' '.join(arguments[:2])}` failed: {' '.join(done.stderr.split())}")
        return done.stdout


def find(machine: Mapping[str, str]) -> Engine:
    """
    Raises:
        DockerMissing: no daemon answers, with what Docker's client says.
    """
    try:
        version = _docker(["version", "--format", "{{json .Server}}"], machine)
        context = _docker(["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"], machine)
    except FileNotFoundError:
        raise DockerMissing("The command docker is not installed.") from None
    except subprocess.TimeoutExpired:
        raise DockerMissing(f"`docker version` did not answer within {_ANSWER_SECONDS:.0f} s.") from None
    try:
        server = json.loads(version.stdout)
        return Engine(
            address=machine.get("DOCKER_HOST") or context.stdout.strip(),
            architecture=build.architecture(server["Arch"]),
            shares_sockets=sys.platform == "linux" and "Desktop" not in server.get("Platform", {}).get("Name", ""),
            machine=machine,
        )
    except (ValueError, TypeError, KeyError):
        said = " ".join(version.stderr.split()) or f"exit code {version.returncode}"
        raise DockerMissing(f"No Docker daemon answers: {said}") from None
    except BuildFailed as error:
        raise DockerMissing(f"Docker's containers do not suit: {error.message}") from error


def _docker(
    arguments: Sequence[str], machine: Mapping[str, str], seconds: float = _ANSWER_SECONDS
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", *arguments],  # noqa: S607 # the one on the PATH is the user's
        env=dict(machine),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
