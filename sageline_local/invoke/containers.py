"""Functions in containers, by ``sam local``."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from sageline_local import environment, sam
from sageline_local.errors import InvokeFailed
from sageline_local.home import Home
from sageline_local.invoke import template
from sageline_local.invoke.deployed_functions import DeployedFunction
from sageline_local.invoke.engine import Engine
from sageline_local.invoke.network import StackNetwork, wrapper

# SAM's, to take its containers away.
_ENDING_SECONDS = 60


class SamLocal:
    """The bundle for containers, in the folder of one command.

    Args:
        image: that functions start from, and which is there.
    """

    def __init__(self, home: Home, engine: Engine, folder: Path, image: str) -> None:
        self._home = home
        self._engine = engine
        self._folder = folder
        self._image = image
        self._network: str | None = None

    def prepare(self, built: Path, functions: Sequence[DeployedFunction], network: StackNetwork) -> None:
        """Write the template for these functions, their code, their variables and their network to the stack.

        Args:
            built: the template that was built for the containers' architecture.
        """
        self._network = network.network
        document = template.read(built)
        sources = template.code_folders(document, built.parent)
        code = {function.logical_id: self._folder / "functions" / function.logical_id for function in functions}
        # Docker may give containers the user's proxy, which is not for 127.0.0.1.
        added = {"AWS_LAMBDA_EXEC_WRAPPER": wrapper(), "NO_PROXY": environment.LOOPBACK, "no_proxy": environment.LOOPBACK}
        variables = {function.logical_id: {**function.variables, **added} for function in functions}
        for logical_id, folder in code.items():
            shutil.copytree(sources[logical_id], folder, ignore=shutil.ignore_patterns("__pycache__"))
            network.put_beside(folder)
        adapted = template.for_containers(
            document, self._engine.architecture, template.layer_folders(document, built.parent), code, variables
        )
        (self._folder / "template.json").write_text(json.dumps(adapted))
        (self._folder / "variables.json").write_text(json.dumps(variables))

    def start(self, name: str, arguments: Sequence[str], *, stdout: int | None = None, stderr: int | None = None) -> Sam:
        """Start ``sam local NAME``. Its own session: Ctrl-C is for this command, which hands it on once."""
        common = [
            "--template-file",
            str(self._folder / "template.json"),
            "--env-vars",
            str(self._folder / "variables.json"),
            "--layer-cache-basedir",
            str(self._folder / "layers"),
            "--region",
            environment.REGION,
            "--invoke-image",
            self._image,
            "--skip-pull-image",
            *(["--docker-network", self._network] if self._network else []),
        ]
        # SAM's lock while it builds an image is a file there: of an interrupted command it would hold up the next for minutes.
        temporary = self._folder / "tmp"
        temporary.mkdir(exist_ok=True)
        variables = {**environment.for_sam_local(self._engine.variables()), "TMPDIR": str(temporary)}
        process = subprocess.Popen(
            sam.command(self._home, ["local", name], [*arguments, *common]),
            env=sam.own_environment(self._home, variables),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        return Sam(process, self._engine, self._folder)

    def invoke(self, function: DeployedFunction, event: Path) -> str:
        """What a function answers, by ``sam local invoke``; what it logs goes to stderr.

        Raises:
            InvokeFailed: SAM could not run it.
        """
        with self.start(
            "invoke", [function.logical_id, "--event", str(event)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as running:
            return running.answer()


class Sam:
    """A ``sam local`` that runs; when the context ends it has, and so have its containers."""

    def __init__(self, process: subprocess.Popen[str], engine: Engine, folder: Path) -> None:
        self._process = process
        self._engine = engine
        self._folder = folder

    def __enter__(self) -> Sam:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(_ENDING_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._engine.remove_containers_of(self._folder)

    def wait(self) -> int:
        """Its exit code, when it has ended by itself."""
        return self._process.wait()

    def answer(self) -> str:
        """What it prints on stdout, when it has ended by itself.

        Raises:
            InvokeFailed: it exits with another code than 0.
        """
        logs = Logs(_piped(self._process.stderr))
        answered = _piped(self._process.stdout).read()
        code = self._process.wait()
        rest = logs.rest()
        if code != 0:
            raise InvokeFailed(f"`sam local invoke` ended with exit code {code}.\n{rest}".strip())
        return answered


class Logs:
    """Shows what comes on a stream until the function has reported. What comes after is the container being taken away: its
    runtime complains that it is."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._rest: list[str] = []
        self._thread = threading.Thread(target=self._show, daemon=True)
        self._thread.start()

    def rest(self) -> str:
        """What was not shown, when all has come."""
        self._thread.join()
        return "".join(self._rest)

    def _show(self) -> None:
        reported = False
        for line in self._stream:
            if reported:
                self._rest.append(line)
                continue
            sys.stderr.write(line)
            sys.stderr.flush()
            reported = "REPORT RequestId:" in line


def _piped(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise ValueError("The program was started without a pipe.")
    return stream
