"""The whole local stack: up, down, and how it is doing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from sageline_local import deploy, environment, functions, issuer, keys
from sageline_local.aws import LocalClients
from sageline_local.errors import StackNotUp, TokensOfAnother
from sageline_local.home import Home, StackRecord
from sageline_local.progress import Progress, Silent
from sageline_local.services import Service, services
from sageline_local.start import StackStart
from sageline_local.status import StackStatus
from sageline_local.stop import stop
from sagemaker_emulator.isolation.machine import reported

PROJECT = Path(__file__).resolve().parent.parent
# A server under a burst of work answers late. One that has ended is known at once: its process is gone, its port refuses.
_PATIENCE_SECONDS = 15.0


class LocalStack:
    """One local stack: the one whose state is in ``home``. ``port``: MiniStack's; None is that of the last time, or 4566."""

    def __init__(self, home: Path, port: int | None = None, project: Path = PROJECT) -> None:
        self._home = Home(home)
        self._port = port
        self._project = project

    @property
    def home(self) -> Path:
        """The directory that holds everything of this stack."""
        return self._home.root

    def up(self, progress: Progress | None = None, parameters: Mapping[str, str] | None = None) -> StackStatus:
        """Bring the stack up, whatever state it is in; a stack that is up with the present code is left alone.

        Args:
            parameters: of the template; None keeps those of the last time.

        Raises:
            LocalStackError: it could not be brought up. What this call started is stopped again.
        """
        progress = progress or Silent()
        self._home.make()
        with self._home.locked():
            StackStart(self._home, self._project, self._port, progress).run(parameters)
        return self.status()

    def down(self, progress: Progress | None = None, delete: bool = False) -> bool:
        """Stop everything; the state is saved, or deleted.

        Returns:
            Whether anything was running.

        Raises:
            StackBusy: another command is starting or stopping the stack.
        """
        progress = progress or Silent()
        if not self._home.root.exists():
            return False
        with self._home.locked():
            ran = stop(self._home, progress)
        if delete:
            with progress.step(f"Delete the state in {self._home.root}"):
                self._home.delete()
        return ran

    def status(self) -> StackStatus:
        """How the stack is doing. Looks at the processes and asks both servers; changes nothing."""
        record = StackRecord.load(self._home)
        blank = StackStatus(state="down", home=str(self._home.root.resolve()), region=environment.REGION)
        if self._home.busy():
            blank = replace(blank, problems=["A command is starting or stopping it at this moment."])
        pids = {name: reference.pid for name, reference in record.processes.items() if reference.alive}
        ports = record.ports
        if ports is None or not pids:
            killed = ["It was killed: `sageline local up` starts it again."] if record.processes else []
            return replace(blank, problems=[*blank.problems, *killed])
        problems = [*blank.problems]
        for service in services(self._home, ports, os.environ):
            problems += _problems(service, record)
        key = keys.read(self._home)
        if key is None:
            problems.append("It has no key of its own, so it is of a version before this: `sageline local up` restarts it.")
        if record.deployment is None or not record.deployment.fingerprint:
            problems.append("The bundle is not deployed: `sageline local up` does it.")
        abilities = reported(self._home.sagemaker)
        outputs = record.deployment.outputs if record.deployment else {}
        endpoint = environment.endpoint(ports.ministack)
        api_url = deploy.api_url(endpoint, outputs) if outputs else ""
        jwt_api_url = deploy.jwt_api_url(endpoint, outputs)
        return replace(
            blank,
            state="half-dead" if problems else "up",
            endpoint_url=endpoint,
            sagemaker_url=environment.endpoint(ports.sagemaker),
            autoscaling_url=environment.endpoint(ports.autoscaling),
            api_url=api_url,
            jwt_api_url=jwt_api_url,
            bucket=outputs.get("BucketName", ""),
            pids=pids,
            environment={}
            if problems or key is None
            else environment.for_clients(ports, api_url, jwt_api_url, key, self._home.sagemaker),
            outputs=outputs,
            problems=problems,
            limits=[abilities.missing] if abilities and abilities.missing else [],
        )

    def environment(self, function: str | None = None) -> dict[str, str]:
        """Variables with which boto3, the AWS CLI and the SageMaker SDK use the stack; and a function's own, if one is named.

        Raises:
            StackNotUp: it is not up.
            FunctionUnknown: there is no function of that name.
        """
        variables = self.require_up().environment
        if function is None:
            return variables
        return {**variables, **functions.configuration(self.clients(), function).get("Environment", {}).get("Variables", {})}

    def require_up(self) -> StackStatus:
        """The status of a stack that is up.

        Raises:
            StackNotUp: it is not.
        """
        status = self.status()
        if status.state != "up":
            if not self.home.exists():
                elsewhere = "or name the directory of another one in SAGELINE_HOME"
                raise StackNotUp(f"There is no local stack in {status.home}. Start one with `sageline local up`, {elsewhere}.")
            sentences = [f"The local stack in {status.home} is {status.state}.", *status.problems]
            raise StackNotUp(" ".join(sentences if status.problems else [*sentences, "Start it with `sageline local up`."]))
        return status

    def token(self, scopes: Iterable[str], *, subject: str, minutes: float) -> str:
        """An access token of the stack's own issuer for its HTTP API for tokens.

        Raises:
            StackNotUp: it is not up.
            TokensOfAnother: it has no such API, or one that trusts another issuer.
        """
        from sageline_local import issuer_key  # noqa: PLC0415  # imports cryptography, which no other command waits for

        self.require_up()
        record = StackRecord.load(self._home)
        port = record.port or 0
        trusted = issuer.parameters(port, record.parameters)["JwtIssuer"]
        if trusted != issuer.url(port):
            raise TokensOfAnother(
                f"The stack was brought up with JwtIssuer={trusted}, so it takes {'its tokens only' if trusted else 'none'}. "
                "Bring it up with other parameters, and no JwtIssuer among them, to have it trust its own issuer."
            )
        return issuer_key.token(self._home, port, scopes, subject=subject, minutes=minutes)

    def clients(self) -> LocalClients:
        """boto3 clients of a stack that is up.

        Raises:
            StackNotUp: it is not.
        """
        self.require_up()
        return LocalClients(StackRecord.load(self._home), keys.make(self._home))

    def log_file(self, name: str) -> Path:
        """The log of a server, or of ``sam-build`` and ``sam-deploy``."""
        return self._home.log(name)


def _problems(service: Service, record: StackRecord) -> list[str]:
    reference = record.processes.get(service.name)
    if reference is None or not reference.alive:
        return [f"{service.title} is not running: `sageline local up` starts it again; its log is {service.log}."]
    if not service.answers(_PATIENCE_SECONDS):
        return [f"{service.title} (process {reference.pid}) does not answer on port {service.port}; its log is {service.log}."]
    return []
