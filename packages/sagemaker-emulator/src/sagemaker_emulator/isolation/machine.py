"""What this machine can keep a container from, and containers started so."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Thread

from sagemaker_emulator import children
from sagemaker_emulator.isolation import leftovers
from sagemaker_emulator.isolation.inside import Plan

REPORT = "isolation.json"
_MODULE = "sagemaker_emulator.isolation.inside"
_PROBE_SECONDS = 20.0
_PEER_SECONDS = 10.0
# Whom a container could talk to without a network, and who would do things for it: Docker, the session's D-Bus, agents.
_SOCKETS = ("/run", "/var/run")
_NAME_SERVERS = Path("/etc/resolv.conf")
# Keys, tokens and sockets of the person whose machine this is.
_PERSONAL = (
    *("~/.aws", "~/.ssh", "~/.gnupg", "~/.docker", "~/.kube", "~/.azure", "~/.config/gcloud", "~/.config/gh"),
    *("~/.netrc", "~/.git-credentials", "~/.npmrc", "~/.pypirc"),
)
_PIP_CONFIGURATIONS = ("~/.config/pip/pip.conf", "~/.pip/pip.conf")


@dataclass(frozen=True)
class Abilities:
    """What can be kept from a container: the network, and the files of the machine; ``reason``: why not all of it.

    ``opt_ml``: whether it can find its files at ``/opt/ml``.
    """

    network: bool
    files: bool
    reason: str = ""
    opt_ml: bool = False

    @property
    def missing(self) -> str:
        """A sentence for people on what is not enforced; empty when all is."""
        if self.network and self.files:
            return ""
        what = (
            "containers can read the files of the user that the stack runs as"
            if self.network
            else "containers with EnableNetworkIsolation get no credentials, but reach the network, and every container can read "
            "the files of the user that the stack runs as"
        )
        return f"This machine has not the namespaces for it ({self.reason}): {what}."


NOTHING = Abilities(network=False, files=False, reason="only Linux has them")


def look() -> Abilities:
    """Try it out, in a process of its own (some 50 ms)."""
    if sys.platform != "linux":
        return NOTHING
    with tempfile.TemporaryDirectory() as directory:
        plan = Plan(network=False, own=str(Path(directory).resolve()), covered=_SOCKETS, shown=_shown())
        if not _problem(replace(plan, opt_ml=True)):
            return Abilities(network=True, files=True, opt_ml=True)
        problem = _problem(plan)
    if not problem:  # it has no /opt
        return Abilities(network=True, files=True)
    return Abilities(network=not _problem(Plan(network=False)), files=False, reason=problem)


def reported(home: Path) -> Abilities | None:
    """What a service with its state in ``home`` has found out; None when it has not said."""
    try:
        return Abilities(**json.loads((home / REPORT).read_text()))
    except (OSError, ValueError, TypeError):
        return None


class Containers:
    """Starts containers' programs; ``hidden`` are directories that none of them shall see."""

    def __init__(self, hidden: Sequence[Path], home: Path) -> None:
        self._hidden = tuple(str(path.resolve()) for path in hidden)
        self._found: Future[Abilities] = Future()
        self._home = home

    def begin(self) -> None:
        """Find out what the machine can do, while other things start; the answer is left in the home directory too."""
        Thread(target=self._look, name="isolation", daemon=True).start()

    @property
    def abilities(self) -> Abilities:
        return self._found.result()

    def _look(self) -> None:
        try:
            found = look()
        except Exception as error:  # whatever broke, nothing may wait for it for ever
            found = Abilities(network=False, files=False, reason=repr(error))
        (self._home / REPORT).write_text(json.dumps(asdict(found)))
        self._found.set_result(found)

    @contextlib.contextmanager
    def cluster(self, own: Path, *, isolated: bool, hosts: Sequence[str] = ()) -> Iterator[Cluster]:
        """What starts the containers of one job or variant, whose files are in ``own``; the isolated ones see each other only.

        ``hosts`` are names by which they find each other.
        """
        cluster = Cluster(self.abilities, self._hidden, own, isolated=isolated, hosts=hosts)
        try:
            yield cluster
        finally:
            cluster.close()


class Cluster:
    """Containers that share a directory and, if they are isolated, a network; made by :meth:`Containers.cluster`."""

    def __init__(
        self, abilities: Abilities, hidden: tuple[str, ...], own: Path, *, isolated: bool, hosts: Sequence[str] = ()
    ) -> None:
        self.abilities = abilities
        self._hosts = tuple(hosts)
        self._hidden, self._own, self._isolated = hidden, own.resolve(), isolated
        self._first: children.Child | None = None
        self._namespaces: tuple[int, int] | None = None
        self._everybody: list[leftovers.Leftovers] = []

    @property
    def has_own_network(self) -> bool:
        return self._isolated and self.abilities.network

    @property
    def shortfall(self) -> str:
        """What is to be said in the log of an isolated container; empty when its network is isolated."""
        if not self._isolated or self.abilities.network:
            return ""
        return f"EnableNetworkIsolation is on. {self.abilities.missing}"

    def start(
        self, module: str, arguments: list[str], environment: Mapping[str, str], cwd: Path, keep_open: int | None = None
    ) -> children.Child:
        """Run ``python -m module`` as a container of the cluster; ``cwd`` is what stands for ``/opt/ml``."""
        variables = {**self._variables(), **environment}
        kept = () if keep_open is None else (keep_open,)
        files = self.abilities.files
        if not self.has_own_network and not files:
            return children.start(module, arguments, variables, cwd, kept)
        if self.has_own_network and self._first and not self._namespaces:
            self._namespaces = _namespaces_of(self._first)
        join = self._namespaces or ()
        plan = Plan(
            network=not self.has_own_network,
            join=self._namespaces,
            own=str(self._own) if files else "",
            covered=(*self._hidden, *map(os.path.expanduser, _PERSONAL), *_SOCKETS),
            shown=(*_shown(), *(() if self._isolated else _name_servers())),
            opt_ml=files and self.abilities.opt_ml,
            hosts=self._hosts,
        )
        child = children.start(_MODULE, [plan.to_json(), module, *arguments], variables, cwd.resolve(), (*kept, *join))
        self._first = self._first or child
        if not join and (everybody := leftovers.of(child)) is not None:
            self._everybody.append(everybody)
        return child

    def end(self) -> None:
        """When the programs have ended: end what they have left running, be it in sessions of its own."""
        for everybody in self._everybody:
            everybody.end()
        self._everybody.clear()

    def close(self) -> None:
        for namespace in self._namespaces or ():
            os.close(namespace)

    def _variables(self) -> dict[str, str]:
        variables = {"HOME": "/tmp", "TMPDIR": "/tmp"} if self.abilities.files else {}  # noqa: S108  # the container's own
        if self._isolated:
            # Without a network pip would try for a while, and where there are no namespaces it would succeed.
            return {"HOME": str(self._own), **variables, "PIP_NO_INDEX": "1"}
        for name in _PIP_CONFIGURATIONS if self.abilities.files else ():
            if (path := Path(name).expanduser()).is_file():
                variables["PIP_CONFIG_FILE"] = str(path)
        return variables


def _shown() -> tuple[str, ...]:
    """What every program needs: this code, the interpreter and its packages."""
    return tuple(str(Path(path).resolve()) for path in (*map(str, children.code_roots()), sys.prefix, sys.base_prefix))


def _name_servers() -> tuple[str, ...]:
    """Where the machine says whom to ask for names, if that is among the sockets."""
    directory = _NAME_SERVERS.resolve().parent
    return (str(directory),) if Path("/run") in directory.parents else ()


def _problem(plan: Plan) -> str:
    """Why a plan can not be carried out here; empty when it can."""
    try:
        tried = subprocess.run(
            [sys.executable, "-m", _MODULE, plan.to_json()],
            cwd=plan.own or None,
            env={"PYTHONPATH": os.pathsep.join(map(str, children.code_roots())), "PYTHONSAFEPATH": "1"},
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no end after {_PROBE_SECONDS:.0f} s"
    return "" if tried.returncode == 0 else (tried.stderr.strip().splitlines() or ["it was killed"])[-1]


def _namespaces_of(child: children.Child) -> tuple[int, int] | None:
    """The user and the network namespace of a container, as soon as it has them; None when it ends before."""
    process = Path(f"/proc/{child.pid}/ns")
    mine = Path("/proc/self/ns/net").readlink()
    deadline = time.monotonic() + _PEER_SECONDS
    with contextlib.suppress(OSError):
        while time.monotonic() < deadline:
            if (process / "net").readlink() != mine:
                return os.open(process / "user", os.O_RDONLY), os.open(process / "net", os.O_RDONLY)
            time.sleep(0.002)
    return None
