"""What a container's program can do to the machine that it runs on, by itself and after its end."""

from __future__ import annotations

import ctypes
import json
import os
import textwrap
import time
from pathlib import Path

import pytest

from emulator_tests.support import wait_until
from sagemaker_emulator import children
from sagemaker_emulator.isolation.machine import Cluster, look

ABILITIES = look()
pytestmark = pytest.mark.skipif(not ABILITIES.files, reason=ABILITIES.missing)


def run(own: Path, program: str, *, isolated: bool = True) -> list[str]:
    """What a program prints as a container that keeps its files in ``own``, until it and all it started have ended."""
    own.mkdir(exist_ok=True)
    (own / "probe.py").write_text(textwrap.dedent(program))
    path = os.pathsep.join(map(str, (own, *children.code_roots())))
    lines: list[str] = []
    cluster = Cluster(ABILITIES, (), own, isolated=isolated)
    cluster.start("probe", [], {"PYTHONPATH": path}, own).follow(lines.append)
    cluster.end()
    return lines


@pytest.mark.parametrize("isolated", [True, False])
def test_what_a_program_leaves_running_ends_with_it(tmp_path: Path, isolated: bool) -> None:
    program = """
        import os, time

        if os.fork() == 0:
            os.setsid()  # a session of its own: signals to the program's group do not get there
            if os.fork() == 0:
                for descriptor in (0, 1, 2):
                    os.close(descriptor)
                while True:
                    open("alive", "a").write("x")
                    time.sleep(0.01)
            os._exit(0)
        while not os.path.exists("alive"):
            time.sleep(0.01)
    """

    run(tmp_path / "job", program, isolated=isolated)

    written = (tmp_path / "job" / "alive").stat().st_size
    time.sleep(0.1)
    assert (tmp_path / "job" / "alive").stat().st_size == written


@pytest.mark.parametrize("isolated", [True, False])
def test_the_hosts_of_a_cluster_are_ended_together(tmp_path: Path, isolated: bool) -> None:
    own = tmp_path / "job"
    own.mkdir()
    (own / "sleeper.py").write_text("import os, time; open(str(os.getpid()), 'w'); time.sleep(30)")
    environment = {"PYTHONPATH": os.pathsep.join(map(str, (own, *children.code_roots())))}
    cluster = Cluster(ABILITIES, (), own, isolated=isolated)

    hosts = [cluster.start("sleeper", [], environment, own) for _ in range(2)]
    wait_until(lambda: all((own / str(host.pid)).exists() for host in hosts) or None)
    cluster.end()
    cluster.close()

    assert [host.follow(lambda _line: None) for host in hosts] == [-9, -9]


@pytest.mark.parametrize("isolated", [True, False])
def test_a_container_has_no_devices_but_those_that_programs_need(tmp_path: Path, isolated: bool) -> None:
    program = """
        import json, os, multiprocessing
        open("/dev/null", "w").write("x")
        assert open("/dev/urandom", "rb").read(1) and open("/dev/zero", "rb").read(1) == bytes(1)
        multiprocessing.Lock()
        print(json.dumps(sorted(os.listdir("/dev"))))
    """

    found = run(tmp_path / "job", program, isolated=isolated)

    devices = ["fd", "full", "null", "random", "shm", "stderr", "stdin", "stdout", "urandom", "zero"]
    assert [json.loads(line) for line in found] == [devices]


def _landlock_version() -> int:
    return int(ctypes.CDLL(None).syscall(444, None, 0, 1))


@pytest.mark.skipif(_landlock_version() < 6, reason="before Linux 6.12 there is nothing that keeps signals inside")
def test_a_container_can_not_signal_the_machines_processes(tmp_path: Path) -> None:
    program = f"""
        import os, subprocess
        child = subprocess.Popen(["sleep", "60"])
        child.kill()
        print("own:", child.wait())
        try:
            os.kill({os.getpid()}, 0)
            print("the service can be killed")
        except PermissionError:
            print("refused")
    """

    assert run(tmp_path / "job", program) == ["own: -9", "refused"]
    assert run(tmp_path / "other", program, isolated=False) == ["own: -9", "refused"]


def test_a_container_can_not_make_namespaces_where_it_would_have_capabilities(tmp_path: Path) -> None:
    program = """
        import ctypes
        print(ctypes.CDLL(None).unshare(0x10000000))
    """

    assert run(tmp_path / "job", program) == ["-1"]


def test_a_container_with_the_network_finds_nobody_who_would_do_things_for_it(tmp_path: Path) -> None:
    """Docker's socket or the session's D-Bus would start a program outside; only where to ask for names is left."""
    program = """
        import json, os
        print(json.dumps([os.path.join(where, name) for where, _, names in os.walk("/run") for name in names]))
        print(os.path.exists(os.path.realpath("/etc/resolv.conf")))
    """

    files, resolvable = run(tmp_path / "job", program, isolated=False)

    servers = Path("/etc/resolv.conf").resolve()
    assert all(Path(file).parent == servers.parent for file in json.loads(files))
    assert resolvable == str(servers.exists())
