"""Bring a stack up, whatever state it is in."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from sageline_local import build, deploy, environment, issuer, keys, ports, processes, recovery
from sageline_local.aws import LocalClients
from sageline_local.errors import DeployFailed, PortInUse, StackElsewhere
from sageline_local.home import DeployedStack, Home, StackRecord
from sageline_local.ports import Ports
from sageline_local.progress import Progress
from sageline_local.services import TITLES, Service, services
from sageline_local.stop import end_leftovers, stop

DEFAULT_PORT = 4566


class StackStart:
    """One ``up``. The record is saved at every step, so that a kill in between leaves the truth behind."""

    def __init__(self, home: Home, project: Path, port: int | None, progress: Progress) -> None:
        self._home = home
        self._project = project
        self._port = port
        self._progress = progress
        self._restart_without_key()
        self._key = keys.make(home)
        self._record = StackRecord.load(home)
        self._started: list[Service] = []

    def run(self, parameters: Mapping[str, str] | None) -> None:
        """
        Raises:
            LocalStackError: with what to do. What this call started is stopped again.
        """
        self._tidy()
        chosen_ports = self._choose_ports()
        port = chosen_ports.ministack
        chosen = self._record.parameters if parameters is None else dict(parameters)
        self._remember(
            replace(
                self._record,
                port=port,
                sagemaker_port=chosen_ports.sagemaker,
                autoscaling_port=chosen_ports.autoscaling,
                parameters=chosen,
            )
        )
        build_id = build.fingerprint(self._project)
        began = time.time()
        with ThreadPoolExecutor(1, thread_name_prefix="build") as pool:
            # Building takes longest, and needs no server.
            template = pool.submit(self._build, build_id, port) if self._is_outdated(build_id) else None
            try:
                ministack, *others = services(self._home, chosen_ports, os.environ)
                self._ensure(ministack)
                # The others are getting ready while the bundle is deployed.
                for service in others:
                    self._launch(service)
                deployed = self._ensure_deployed(template, build_id, port)
                for service in others:
                    self._ensure(service)
                self._tell_what_was_interrupted(began)
            except (BotoCoreError, ClientError) as error:
                self._stop_what_was_started()
                log = self._home.log("ministack")
                raise DeployFailed(f"MiniStack failed: {error}. The end of {log}:\n{processes.tail(log)}") from error
            except BaseException:
                self._stop_what_was_started()
                raise
        if not self._started and not deployed:
            self._progress.note("The local stack was up already.")

    def _restart_without_key(self) -> None:
        """Stop servers of the version before, which believe whoever calls. What they save is there when they start again."""
        if keys.read(self._home) is None and any(
            reference.alive for reference in StackRecord.load(self._home).processes.values()
        ):
            self._progress.note("The servers that run are of a version that verifies no signatures: they are started again.")
            stop(self._home, self._progress)

    def _tidy(self) -> None:
        """Clear away what a kill left behind, and tell what it cost."""
        for name, reference in self._record.processes.items():
            if not reference.alive:
                self._progress.note(f"{TITLES[name]} (process {reference.pid}) had ended without `sageline local down`.")
        end_leftovers(self._home, self._progress)
        if self._record.running("ministack"):
            return
        if self._record.deployment is None:
            # A first deployment that was cut off: nothing of value is there yet.
            shutil.rmtree(self._home.ministack, ignore_errors=True)
        shutil.rmtree(self._home.scratch, ignore_errors=True)
        self._home.make()
        unclean = recovery.unclean_shutdown(self._home.state)
        if unclean:
            self._progress.note(unclean)

    def _choose_ports(self) -> Ports:
        """
        Raises:
            PortInUse: another program has one.
            StackElsewhere: the stack is up on another port than the one that was asked for.
        """
        before = self._record.ports
        port = self._port or self._record.port or DEFAULT_PORT
        if before is None or not any(self._record.running(name) for name in TITLES):
            ports.require_free(port, let_go=port == self._record.port)
            sagemaker = ports.choose(port, self._record.sagemaker_port)
            return Ports(port, sagemaker, ports.choose(max(port, sagemaker), self._record.autoscaling_port))
        if port != before.ministack:
            raise StackElsewhere(
                f"The stack in {self._home.root} is up on port {before.ministack}. "
                f"Move it: `sageline local down`, then `up --port {port}`."
            )
        # A server that runs knows the others' addresses, so they come back there.
        if not self._record.running("ministack"):
            ports.require_free(port, let_go=True)
        for name, own in (("sagemaker", before.sagemaker), ("autoscaling", before.autoscaling)):
            if not self._record.running(name) and not ports.is_let_go(own):
                raise PortInUse(
                    f"{TITLES[name]}'s port {own} is in use by another program. "
                    "`sageline local down`, then `up`, chooses another."
                )
        return before

    def _is_outdated(self, build_id: str) -> bool:
        deployment = self._record.deployment
        return deployment is None or deployment.fingerprint != deploy.fingerprint(build_id, self._parameters())

    def _parameters(self) -> Mapping[str, str]:
        """The template's: those that were chosen, and the stack's own issuer of tokens."""
        return issuer.parameters(self._record.port or DEFAULT_PORT, self._record.parameters)

    def _build(self, build_id: str, port: int) -> Path:
        tools = environment.for_tools(os.environ, port, self._key)
        if build.is_built(self._project, build_id):
            return build.build(self._project, self._home, build_id, tools)
        with self._progress.step("Build the functions and the layer"):
            return build.build(self._project, self._home, build_id, tools)

    def _launch(self, service: Service) -> None:
        if self._record.running(service.name):
            return
        self._started.append(service)
        self._remember(replace(self._record, processes={**self._record.processes, service.name: service.start()}))

    def _ensure(self, service: Service) -> None:
        self._launch(service)
        if service in self._started or not service.answers():
            with self._progress.step(f"Start {service.title}"):
                service.wait_until_ready(self._record.processes[service.name])

    def _ensure_deployed(self, template: Future[Path] | None, build_id: str, port: int) -> bool:
        """Whether there was anything to deploy. ``template``: what is being built; None if nothing has changed."""
        clients = LocalClients(self._record, self._key)
        before = self._record.deployment
        there = before is not None and deploy.is_there(clients, before)
        if there and template is None:
            return False
        if before is not None:
            if not there:
                self._progress.note("MiniStack has lost what was deployed, and with it all runs: it is deployed anew.")
            self._remember(replace(self._record, deployment=replace(before, fingerprint="")))
        built = self._build(build_id, port) if template is None else template.result()
        parameters = self._parameters()
        with self._progress.step("Deploy to MiniStack"):
            tools = environment.for_tools(os.environ, port, self._key)
            try:
                stack_id, outputs = deploy.deploy(clients, self._home, built, parameters, tools)
            except DeployFailed as error:
                if not self._record.running("ministack"):
                    log = self._home.log("ministack")
                    raise DeployFailed(
                        f"MiniStack ended during the deployment. The end of {log}:\n{processes.tail(log)}"
                    ) from error
                raise
        deployment = DeployedStack(deploy.fingerprint(build_id, parameters), stack_id, outputs)
        self._remember(replace(self._record, deployment=deployment))
        return True

    def _tell_what_was_interrupted(self, began: float) -> None:
        clients = LocalClients(self._record, self._key)
        started = {service.name for service in self._started}
        deployment = self._record.deployment
        if "sagemaker" in started:
            for sentence in recovery.failed_jobs(clients, began):
                self._progress.note(sentence)
        if "ministack" in started and deployment is not None:
            runs = recovery.interrupted_runs(clients, deployment.outputs["StateMachineArn"], began)
            functions = deploy.function_names(clients) if runs else {}
            for run in runs:
                with self._progress.step("Record an interrupted run"):
                    sentence = recovery.record(clients, functions, run)
                self._progress.note(sentence)

    def _stop_what_was_started(self) -> None:
        for service in self._started:
            processes.stop(self._record.processes[service.name], service.stop_seconds)
        gone = {service.name for service in self._started}
        self._remember(
            replace(
                self._record,
                processes={name: reference for name, reference in self._record.processes.items() if name not in gone},
            )
        )

    def _remember(self, record: StackRecord) -> None:
        self._record = record
        self._record.save(self._home)
