"""Everything around ``up`` that is not the code under test."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from sageline_local import recovery, services
from sageline_local.aws import LocalClients
from sageline_local.home import DeployedStack, Home, StackRecord
from sageline_local.keys import RootKey
from sageline_local.ports import Ports, choose
from sageline_local.stack import LocalStack
from tests.notes import Notes

OUTPUTS = {"ApiId": "abc", "BucketName": "bucket", "StateMachineArn": "arn:machine"}
SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
BROKEN = "import sys; sys.exit('no database')"


@cache
def local_clients() -> LocalClients:
    """Of a stack that is not there; making them takes longer than most tests."""
    return LocalClients(StackRecord(port=4566, sagemaker_port=4567, autoscaling_port=4568), RootKey("secret"))


OWN_ISSUER = ("JwtIssuer", "JwtAudience")
"""Parameters that the stack gives itself; tests of the issuer look at them."""


class World:
    """Everything around ``up`` that is not the code under test; change its attributes to make things go wrong."""

    def __init__(self, home: Path) -> None:
        self.home = Home(home)
        self.programs = dict.fromkeys(services.TITLES, SERVER)
        self.start_seconds = 10.0
        self.source = "first"
        self.deployed: list[Mapping[str, str]] = []
        self.remembered_while_deploying: list[DeployedStack | None] = []
        self.build_error: Exception | None = None
        self.deploy_error: Exception | None = None
        self.lost = False
        self.jobs: list[str] = []
        self.runs: list[recovery.Interrupted] = []
        self.recorded: list[recovery.Interrupted] = []
        self.port = choose(20000 + os.getpid() % 20000)

    def stack(self, port: int | None = None) -> LocalStack:
        return LocalStack(self.home.root, port or self.port)

    def up(self, parameters: Mapping[str, str] | None = None) -> Notes:
        told = Notes()
        self.stack().up(told, parameters)
        return told

    def kill(self, name: str) -> None:
        reference = StackRecord.load(self.home).processes[name]
        os.kill(reference.pid, signal.SIGKILL)
        while reference.alive:
            time.sleep(0.01)

    def make_services(self, home: Home, ports: Ports, machine: Mapping[str, str]) -> list[services.Service]:
        made = [make(home, ports, machine) for make in (services.ministack, services.autoscaling, services.sagemaker)]
        return [
            replace(service, arguments=("-c", self.programs[service.name], str(service.port)), start_seconds=self.start_seconds)
            for service in made
        ]

    def build(self, project: Path, home: Home, build_id: str, machine: Mapping[str, str]) -> Path:
        if self.build_error:
            raise self.build_error
        return project / build_id

    def deploy(
        self, clients: LocalClients, home: Home, template: Path, parameters: Mapping[str, str], tools: Mapping[str, str]
    ) -> tuple[str, dict[str, str]]:
        self.remembered_while_deploying.append(StackRecord.load(home).deployment)
        if self.deploy_error:
            raise self.deploy_error
        self.deployed.append({name: value for name, value in parameters.items() if name not in OWN_ISSUER})
        self.lost = False
        return "arn:stack", OUTPUTS

    def record(self, clients: LocalClients, functions: Mapping[str, str], run: recovery.Interrupted) -> str:
        self.recorded.append(run)
        return f"recorded {run.arn}"
