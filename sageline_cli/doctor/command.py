"""The command ``sageline doctor``."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

import click
from botocore.exceptions import ProfileNotFound
from rich.markup import escape

from sageline_cli.aws import Aws
from sageline_cli.connection import api_client, connect_to_local, local_home
from sageline_cli.doctor import account, permissions, stack
from sageline_cli.doctor.finding import STATES, DoctorCheck, Finding, ask, run_checks, worst
from sageline_cli.doctor.machine import Machine
from sageline_cli.errors import explain
from sageline_cli.options import StackCommand, json_option, print_json, stack_option, stderr, stdout
from sageline_local.deploy import STACK_NAME
from sageline_local.home import Home, StackRecord
from sageline_local.stack import LocalStack

_SECONDS = 30.0
"""After these a check is given up."""
_NEED_A_CALLER = ("sagemaker", "permissions", "quotas", "lambda", "prices", "stack")
_COLOURS = {"ok": "green", "warning": "yellow", "failed": "bold red", "unknown": "cyan"}


@click.command(cls=StackCommand, short_help="Find what would make a first run fail.")
@stack_option
@json_option
@click.pass_context
def doctor(context: click.Context, stack: str | None, as_json: bool) -> None:
    """Find what would make a first run fail, and say what to do. Changes nothing; nothing is billed.

    With --stack: region, credentials, permissions, quotas and prices of the account, also before anything is deployed; and the
    stack, if it is there. Without: this machine and the local stack.

    Each line is ok, a warning, failed, or unknown (it could not be found out). Exit code 1 if one has failed.

    \b
    Examples:
      sageline doctor
      sageline doctor --stack sageline
    """
    with stderr().status("Looking …"):
        findings = of_account(stack, os.environ) if stack else of_machine(os.environ)
    if as_json:
        print_json({"state": worst(findings), "findings": [finding.to_json() for finding in findings]})
    else:
        _print(findings)
    context.exit(1 if worst(findings) == "failed" else 0)


def of_machine(environment: Mapping[str, str]) -> list[Finding]:
    """This machine and the local stack."""
    home, port = Home(local_home(environment)), environment.get("SAGELINE_PORT", "")
    status = LocalStack(home.root).status()
    machine = Machine(home, StackRecord.load(home), status, int(port) if port.isdecimal() else None)
    found = run_checks(machine.checks(), _SECONDS)
    if port and not port.isdecimal():
        what = f"SAGELINE_PORT is {port!r}, which is no number."
        found.append(Finding("ports", "failed", what, "Set it to a port, or unset it."))
    if status.state != "up":
        return found
    deployed, finding = _find(Aws.of_local_stack(status), STACK_NAME)
    if deployed is None:
        return [*found, finding]
    checks = stack.checks(Aws.of_local_stack(status), deployed, connect_to_local(environment).api)
    return [*found, finding, *run_checks(checks, _SECONDS)]


def of_account(name: str, environment: Mapping[str, str]) -> list[Finding]:
    """The account in AWS, and the stack of that name in it."""
    try:
        aws = Aws.of_account(environment)
    except ProfileNotFound as error:
        found = [Finding("credentials", "failed", explain(error).message, "Set AWS_PROFILE to one of them, or unset it.")]
        return [*found, *(Finding(check, "unknown", "Not looked at without credentials.") for check in _NEED_A_CALLER)]
    found = account.check_region(aws.region)
    if aws.region is None:
        return [*found, *(Finding(check, "unknown", "Not looked at without a region.") for check in _NEED_A_CALLER)]
    caller = ask("credentials", partial(account.find_caller, aws), _SECONDS)
    if isinstance(caller, Finding):
        return [*found, caller, *(Finding(check, "unknown", "Not looked at without credentials.") for check in _NEED_A_CALLER)]
    deployed, of_stack = _find(aws, name)
    bucket = deployed.bucket if deployed else None
    checks: dict[str, DoctorCheck] = {
        "sagemaker": partial(account.check_sagemaker, aws),
        "permissions": partial(permissions.check_permissions, aws, caller, name, bucket),
        "quotas": partial(account.check_quotas, aws),
        "lambda": partial(account.check_lambda, aws),
        "prices": partial(account.check_prices, aws, bucket),
    }
    found += [Finding("credentials", "ok", caller.arn), *run_checks(checks, _SECONDS), of_stack]
    if deployed is None or not deployed.outputs.keys() >= stack.REQUIRED_OUTPUTS:
        return found
    return [*found, *run_checks(stack.checks(aws, deployed, api_client(aws.session, deployed.outputs["ApiUrl"])), _SECONDS)]


def _find(aws: Aws, name: str) -> tuple[stack.CloudFormationStack | None, Finding]:
    found = ask("stack", partial(stack.find_stack, aws, name), _SECONDS)
    return (None, found) if isinstance(found, Finding) else found


def _print(findings: Sequence[Finding]) -> None:
    console = stdout()
    for finding in findings:
        colour = _COLOURS[finding.state]
        console.print(f"[{colour}]{finding.state:<8}[/] {finding.check:<13} {escape(finding.what)}", soft_wrap=True)
        if finding.to_do:
            console.print(f"{'':<22} → {escape(finding.to_do)}", soft_wrap=True)
    counts = Counter(finding.state for finding in findings)
    console.print(", ".join(f"{counts[state]} {state}" for state in reversed(STATES) if counts[state]))
