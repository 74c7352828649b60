"""A Docker daemon of the tests' own, for a machine where none answers: a package of Debian, started and ended here."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sageline_local.processes import tail

_PROGRAMS = {"dockerd": "docker.io", "docker": "docker.io", "debootstrap": "debootstrap"}
"""What is needed, and the package that has it."""

_STORAGE_DRIVERS = ("overlay2", "vfs")
_READY_SECONDS = 60
_END_SECONDS = 60
# Away from the networks that machines are usually in.
_BRIDGE = "172.31.250.1/24"
_POOL = "base=172.31.240.0/21,size=24"


class NoDaemon(Exception):
    """Docker is not here, and can not be brought here."""


@contextmanager
def own_daemon() -> Iterator[tuple[str, Path]]:
    """A daemon that is gone, with all that it held, when the context ends: its ``DOCKER_HOST``, and a folder for other files.

    Raises:
        NoDaemon: with what is missing.
    """
    _install()
    bridges = _bridges()
    # Short: a unix socket's path may have 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="sageline-docker-"))
    try:
        process = _start(folder)
        try:
            yield _address(folder), folder
        finally:
            _end(process)
    finally:
        _unmount_below(folder)
        shutil.rmtree(folder)
        # A network's, too, if a command that made it did not end.
        for bridge in _bridges() - bridges:
            subprocess.run(["ip", "link", "delete", bridge], check=False)


def _install() -> None:
    missing = sorted({package for program, package in _PROGRAMS.items() if not shutil.which(program)})
    if os.geteuid() != 0:
        raise NoDaemon("No Docker daemon answers, and only root can start one: start Docker, or run this as root on Debian.")
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise NoDaemon(f"No Docker daemon answers, and this machine has no apt-get to install {' and '.join(missing)} with.")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-q"], ["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing]):
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        if done.returncode:
            raise NoDaemon(f"`{' '.join(command)}` failed: {done.stderr.strip() or done.stdout[-500:]}")


def _start(folder: Path) -> subprocess.Popen[bytes]:
    said = ""
    for driver in _STORAGE_DRIVERS:
        log = folder / f"dockerd-{driver}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    "dockerd",
                    f"--data-root={folder / 'data'}",
                    f"--exec-root={folder / 'exec'}",
                    f"--pidfile={folder / 'dockerd.pid'}",
                    f"--host={_address(folder)}",
                    f"--storage-driver={driver}",
                    # The machine's own network is left as it is: no rules, no forwarding. Ports are published by a proxy.
                    "--iptables=false",
                    "--ip-forward=false",
                    f"--bip={_BRIDGE}",
                    f"--default-address-pool={_POOL}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        if _is_ready(process, folder):
            return process
        _end(process)
        said = tail(log, 5)
    raise NoDaemon(f"dockerd did not start:\n{said}")


def _is_ready(process: subprocess.Popen[bytes], folder: Path) -> bool:
    deadline = time.monotonic() + _READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        asked = subprocess.run(["docker", "--host", _address(folder), "version"], capture_output=True, check=False)
        if asked.returncode == 0:
            return True
        time.sleep(0.2)
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _address(folder: Path) -> str:
    return f"unix://{folder / 'docker.sock'}"


def _unmount_below(folder: Path) -> None:
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for point in sorted((point for point in mounted if point.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", point], check=False)


def _bridges() -> set[str]:
    """Docker's, among the machine's network interfaces."""
    return {link.name for link in Path("/sys/class/net").iterdir() if link.name == "docker0" or link.name.startswith("br-")}
