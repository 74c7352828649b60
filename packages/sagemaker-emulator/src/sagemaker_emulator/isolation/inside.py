"""The first thing that a container's program does: leave the machine's namespaces, then be the program.

``python -m sagemaker_emulator.isolation.inside PLAN [MODULE ARGUMENT…]``, with PLAN as JSON. It is one process, so that neither
signals nor the exit status go through another one, and that Python does not start twice.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from sagemaker_emulator.isolation import kernel

OPT_ML = Path("/opt/ml")
"""Where SageMaker's containers have their files."""
_HOSTS = Path("/etc/hosts")
_DEVICES = ("null", "zero", "full", "random", "urandom")
_DEVICE_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}


@dataclass(frozen=True)
class Plan:
    """What a program is to see of the machine."""

    network: bool
    """Whether it keeps the machine's network."""
    join: tuple[int, int] | None = None
    """File descriptors of the user and the network namespace of a peer, instead of new ones."""
    own: str = ""
    """The container's own directory, which it may write to; empty: files are as on the machine."""
    covered: tuple[str, ...] = ()
    """Directories and files that it finds empty."""
    shown: tuple[str, ...] = ()
    """Directories that it finds even if they are below a covered one."""
    opt_ml: bool = False
    """Whether it finds its working directory at ``/opt/ml`` too."""
    hosts: tuple[str, ...] = ()
    """Names of the containers of its cluster, which it is to find on this machine."""

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def of_json(text: str) -> Plan:
        found = json.loads(text)
        join = found["join"]
        return Plan(
            network=found["network"],
            join=(join[0], join[1]) if join else None,
            own=found["own"],
            covered=tuple(found["covered"]),
            shown=tuple(found["shown"]),
            opt_ml=found["opt_ml"],
            hosts=tuple(found["hosts"]),
        )


def isolate(plan: Plan) -> None:
    """Make this process, which must have one thread, see what the plan says. OSError where the machine does not allow it."""
    if plan.join:
        for namespace in plan.join:
            kernel.enter(namespace)
            os.close(namespace)
    else:
        kernel.unshare(kernel.NEW_USER | (0 if plan.network else kernel.NEW_NETWORK))
        kernel.forbid_user_namespaces()
    if not plan.network:
        kernel.raise_loopback()
    if plan.own:
        kernel.unshare(kernel.NEW_MOUNTS)
        kernel.private_mounts()
        _hide(plan)
    kernel.drop_privileges()
    kernel.keep_to_itself()


def _hide(plan: Plan) -> None:
    """Cover what is covered, show what is shown, parents before what is below them; everything but the own is read-only."""
    own = Path(plan.own)
    home = Path.cwd() if Path.cwd().is_relative_to(own) else own
    temporary = home / ".tmp"
    temporary.mkdir(mode=0o700, exist_ok=True)
    # Opened before anything is covered, as what is shown.
    tmp = Path("/tmp")  # noqa: S108  # it becomes the container's own
    places = {tmp: _directory(temporary), **(_opt_ml(home) if plan.opt_ml else {})}
    covered = {Path(path).resolve() for path in plan.covered if Path(path).is_dir()}
    shown = {path: _directory(path) for path in {own, *map(Path, plan.shown)} if path.is_dir()}
    empty = os.open(os.devnull, os.O_PATH)
    for path in sorted({*covered, *shown, *places}, key=lambda path: len(path.parts)):
        if path in shown and path != own and not any(parent in covered or parent == tmp for parent in path.parents):
            continue  # nothing hides it
        path.mkdir(parents=True, exist_ok=True)
        if path in places:
            kernel.bind(places[path], path)
        elif path in shown:
            kernel.bind(shown[path], path)
        else:
            kernel.cover(path)
    for file in {Path(path).resolve() for path in plan.covered if Path(path).is_file()}:
        kernel.bind(empty, file)
    if plan.hosts and _HOSTS.is_file():
        _name_hosts(plan.hosts, temporary / "hosts")
    memory = _devices()
    for descriptor in (*shown.values(), *places.values(), empty):
        os.close(descriptor)
    kernel.read_only(Path("/"), on=True, below=True)
    for path in (own, *places, memory):
        kernel.read_only(path, on=False)


def _directory(path: Path) -> int:
    return os.open(path, os.O_PATH | os.O_DIRECTORY)


def _opt_ml(home: Path) -> dict[Path, int]:
    """The place of ``/opt/ml``, made if the machine has none, and what comes there."""
    place = OPT_ML.resolve()
    _make_room(place)
    return {place: _directory(home)}


def _make_room(path: Path) -> None:
    """A directory to mount at, which the machine need not have: its parent becomes one in memory, with all that it had."""
    if path.is_dir():
        return
    parent = path.parent
    had = {entry: os.open(entry, os.O_PATH) for entry in parent.iterdir() if not entry.is_symlink()}
    links = {entry: entry.readlink() for entry in parent.iterdir() if entry.is_symlink()}
    directories = {entry for entry in had if entry.is_dir()}
    kernel.cover(parent)
    for entry, descriptor in had.items():
        if entry in directories:
            entry.mkdir()
        else:
            entry.touch()
        kernel.bind(descriptor, entry, below=entry in directories)
        os.close(descriptor)
    for entry, target in links.items():
        entry.symlink_to(target)
    path.mkdir()


def _name_hosts(hosts: tuple[str, ...], file: Path) -> None:
    """Each has an address of the loopback interface to itself, so that all can listen on the same port of theirs."""
    own = "".join(f"127.0.0.{number} {host}\n" for number, host in enumerate(hosts, 1))
    file.write_text(_HOSTS.read_text() + own)
    descriptor = os.open(file, os.O_PATH)
    kernel.bind(descriptor, _HOSTS)
    os.close(descriptor)
    file.unlink()


def _devices() -> Path:
    """Only those that every program needs: a root user's process could open the machine's disks, and anybody's its terminals.

    Returns the directory of semaphores and shared memory, which is the container's own.
    """
    directory = Path("/dev")
    devices = {name: os.open(directory / name, os.O_PATH) for name in _DEVICES}
    kernel.cover(directory)
    for name, descriptor in devices.items():
        (directory / name).touch()
        kernel.bind(descriptor, directory / name)
        os.close(descriptor)
    for name, target in _DEVICE_LINKS.items():
        (directory / name).symlink_to(target)
    memory = directory / "shm"
    memory.mkdir()
    kernel.cover(memory)
    return memory


def main() -> None:
    plan, program = Plan.of_json(sys.argv[1]), sys.argv[2:]
    where = Path.cwd()
    try:
        isolate(plan)
    except OSError as error:
        # If there is a program, it could be done when the service started; without it nothing of the container's runs.
        sys.exit(
            f"This container can not be kept from the network or the files of this machine: {error}" if program else str(error)
        )
    if not program:  # only to find out whether it can be done
        return
    # The working directory from before is still the one below what covers it.
    os.chdir(where)
    module, *arguments = program
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
