"""Bytes through the relay, both ways."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from sageline_local.invoke import relay

Handler = Callable[[socket.socket], None]


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def serve(handler: Handler, opened: ExitStack) -> tuple[str, int]:
    """A server that handles each connection in a thread; its address."""
    listener = relay.listen(("127.0.0.1", 0))
    opened.callback(relay.shut, listener)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=handler, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    host, port = listener.getsockname()
    return host, port


def through(upstream: relay.Address, folder: Path, opened: ExitStack) -> str:
    """The unix socket of a relay to an address."""
    path = str(folder / "s")
    listener = relay.listen(path)
    opened.callback(relay.shut, listener)
    relay.forward_in_background({listener: upstream})
    return path


def connect(path: str) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(10)
    client.connect(path)
    return client


def received(client: socket.socket) -> bytes:
    """All, to the end."""
    content = bytearray()
    while chunk := client.recv(65536):
        content += chunk
    return bytes(content)


def echo(connection: socket.socket) -> None:
    with connection:
        while chunk := connection.recv(65536):
            connection.sendall(chunk)


def answer_at_the_end(connection: socket.socket) -> None:
    """Says nothing before the client has said that it has no more."""
    with connection:
        connection.sendall(f"{len(received(connection))} bytes".encode())


def test_bytes_go_both_ways_as_they_come(tmp_path: Path, opened: ExitStack) -> None:
    path = through(serve(echo, opened), tmp_path, opened)

    with connect(path) as client:
        for word in (b"one", b"\x00two\xff"):
            client.sendall(word)
            assert client.recv(65536) == word


def test_a_client_that_has_no_more_to_say_still_gets_its_answer(tmp_path: Path, opened: ExitStack) -> None:
    path = through(serve(answer_at_the_end, opened), tmp_path, opened)

    with connect(path) as client:
        client.sendall(b"12345")
        client.shutdown(socket.SHUT_WR)
        assert received(client) == b"5 bytes"


def test_a_big_body_arrives_whole_while_an_answer_comes_back(tmp_path: Path, opened: ExitStack) -> None:
    body = os.urandom(8_000_000)
    path = through(serve(echo, opened), tmp_path, opened)

    with connect(path) as client, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(received, client)
        client.sendall(body)
        client.shutdown(socket.SHUT_WR)
        assert answer.result(30) == body


def test_nothing_that_is_handed_on_waits_for_acknowledgements(opened: ExitStack) -> None:
    listener, towards = relay.listen(("127.0.0.1", 0)), relay._socket(("127.0.0.1", 0))
    opened.callback(relay.shut, listener)

    with towards:
        towards.connect(listener.getsockname())
        accepted, _ = listener.accept()
        with accepted:
            assert all(link.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for link in (accepted, towards))


def test_many_connections_at_the_same_time_do_not_mix(tmp_path: Path, opened: ExitStack) -> None:
    path = through(serve(echo, opened), tmp_path, opened)

    with ExitStack() as clients:
        connections = [clients.enter_context(connect(path)) for _ in range(50)]
        for number, client in enumerate(connections):
            client.sendall(f"{number}".encode())
        assert [client.recv(100) for client in connections] == [f"{number}".encode() for number in range(50)]


def test_a_server_that_hangs_up_ends_the_clients_connection(tmp_path: Path, opened: ExitStack) -> None:
    path = through(serve(socket.socket.close, opened), tmp_path, opened)

    with connect(path) as client:
        assert received(client) == b""


def test_a_client_that_is_gone_ends_the_servers_connection(tmp_path: Path, opened: ExitStack) -> None:
    ended = threading.Event()

    def wait_for_the_end(connection: socket.socket) -> None:
        with connection:
            received(connection)
            ended.set()

    connect(through(serve(wait_for_the_end, opened), tmp_path, opened)).close()

    assert ended.wait(10)


def test_nobody_at_the_other_end_is_like_a_server_that_hangs_up(tmp_path: Path, opened: ExitStack) -> None:
    path = through(str(tmp_path / "nobody"), tmp_path, opened)

    with connect(path) as client:
        assert received(client) == b""


def test_a_relay_that_was_shut_takes_no_more_connections(tmp_path: Path) -> None:
    listener = relay.listen(str(tmp_path / "s"))
    thread = threading.Thread(target=relay.forward, args=(listener, ("127.0.0.1", 1)))
    thread.start()

    relay.shut(listener)

    thread.join(10)
    assert not thread.is_alive()
    with pytest.raises(ConnectionRefusedError):
        connect(str(tmp_path / "s"))


@pytest.fixture
def end(tmp_path: Path, opened: ExitStack) -> tuple[Path, int]:
    """A container's end of a way to an echo, and the port at which it serves."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path = through(serve(echo, opened), tmp_path, opened)
    shutil.copyfile(relay.__file__, tmp_path / "relay")
    (tmp_path / "relay").chmod(0o755)
    (tmp_path / relay.UPSTREAMS).write_text(json.dumps({str(port): path}))
    return tmp_path / "relay", port


def test_as_a_wrapper_it_serves_the_port_before_the_runtime_starts(end: tuple[Path, int], opened: ExitStack) -> None:
    wrapper, port = end
    runtime = (
        "import os, socket, sys\n"
        f"with socket.create_connection(('127.0.0.1', {port})) as stack:\n"
        "    stack.sendall(b'hello')\n"
        "    print(os.getpid(), stack.recv(5).decode(), sys.argv[1:], flush=True)\n"
        "sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, str(wrapper), sys.executable, "-c", runtime, "app.handler"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        # It is the same process: Lambda watches the one that it has started.
        assert process.stdout.readline() == f"{process.pid} hello ['app.handler']\n"
        # And once more, as after a time-out, while the first one's relay is still there.
        again = subprocess.run(
            [sys.executable, str(wrapper), sys.executable, "-c", runtime],
            input="",
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
        assert " hello " in again.stdout
    finally:
        # Its relay has nothing of its standard streams: this ends although that goes on, as a container does.
        process.communicate(timeout=20)
        end_relays(wrapper)


def test_alone_it_says_when_it_is_ready_and_ends_with_its_stdin(end: tuple[Path, int]) -> None:
    script, port = end
    process = subprocess.Popen([sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    assert process.stdout is not None
    assert process.stdout.readline() == f"{relay.READY}\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"hello")
        assert client.recv(5) == b"hello"
    process.communicate(timeout=20)

    assert process.returncode == 0


def test_alone_it_fails_where_its_upstream_is_not_there(end: tuple[Path, int], tmp_path: Path) -> None:
    script, port = end
    (tmp_path / relay.UPSTREAMS).write_text(json.dumps({str(port): str(tmp_path / "nobody")}))

    done = subprocess.run([sys.executable, str(script)], input="", capture_output=True, text=True, timeout=20, check=False)

    assert done.returncode != 0
    assert relay.READY not in done.stdout


def end_relays(script: Path) -> None:
    """End what a wrapper has left running, as the end of a container does."""
    for process in psutil.process_iter():
        try:
            if str(script) in process.cmdline():
                process.kill()
        except psutil.Error:
            continue
