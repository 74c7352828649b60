"""What the doctor says of the caller's permissions, and how it found out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from sageline_cli.doctor.account import CallerIdentity
from sageline_cli.doctor.finding import Finding
from sageline_cli.doctor.permissions import NEEDS, check_permissions
from tests.unit.cli.stubs import ACCOUNT, aws, stubbed

USER = CallerIdentity(f"arn:aws:iam::{ACCOUNT}:user/ann", ACCOUNT)
SESSION = CallerIdentity(f"arn:aws:sts::{ACCOUNT}:assumed-role/Admin/ann", ACCOUNT)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/Admin"


def simulate(iam: Stubber, source: str, *refused: str) -> None:
    """IAM allows all but these actions."""
    for need in NEEDS:
        results = [
            {"EvalActionName": action, "EvalDecision": "implicitDeny" if action in refused else "allowed"}
            for action in need.actions
        ]
        expected = {"PolicySourceArn": source, "ActionNames": need.actions, "ResourceArns": ANY, "MaxItems": 100}
        iam.add_response("simulate_principal_policy", {"EvaluationResults": results}, expected)


@contextmanager
def tried(refused: str = "") -> Iterator[None]:
    """Answers to the calls that only read, of which the service named refuses."""
    calls: list[tuple[Any, str, dict[str, Any]]] = [  # any of boto3's clients and their answers
        (aws().cloudformation, "list_stacks", {}),
        (aws().s3, "list_buckets", {}),
        (aws().lambda_, "list_functions", {}),
        (aws().stepfunctions, "list_state_machines", {"stateMachines": []}),
        (aws().dynamodb, "list_tables", {}),
        (aws().events, "list_rules", {}),
        (aws().iam, "list_roles", {"Roles": []}),
    ]
    with ExitStack() as stack:
        for client, operation, answer in calls[:-1]:
            stub = stack.enter_context(stubbed(client))
            if operation == refused:
                stub.add_client_error(operation, "AccessDenied")
            else:
                stub.add_response(operation, answer)
        iam = stack.enter_context(stubbed(aws().iam))
        iam.add_client_error("simulate_principal_policy", "AccessDenied", "not you")
        iam.add_response("list_roles", {"Roles": []})
        yield


def by_state(found: list[Finding]) -> list[str]:
    return [finding.state for finding in found]


def test_who_may_do_everything_is_told_so_as_iam_simulates_it() -> None:
    with stubbed(aws().iam) as iam:
        simulate(iam, USER.arn)
        found = check_permissions(aws(), USER, "sageline", None)

    assert by_state(found) == ["ok", "ok"]
    assert "SimulatePrincipalPolicy" in found[0].what


def test_a_session_is_asked_for_by_its_role_with_the_path() -> None:
    role = {"Path": "/", "RoleName": "Admin", "RoleId": "AROAEXAMPLEEXAMPLE", "Arn": ROLE, "CreateDate": "2026-11-20"}
    with stubbed(aws().iam) as iam:
        iam.add_response("get_role", {"Role": role}, {"RoleName": "Admin"})
        simulate(iam, ROLE)

        assert by_state(check_permissions(aws(), SESSION, "sageline", None)) == ["ok", "ok"]


@pytest.mark.parametrize(("bucket", "state"), [(None, "failed"), ("the-bucket", "warning")])
def test_who_may_not_deploy_cannot_begin_and_may_well_go_on(bucket: str | None, state: str) -> None:
    with stubbed(aws().iam) as iam:
        simulate(iam, USER.arn, "iam:CreateRole")
        use, deploy = check_permissions(aws(), USER, "sageline", bucket)

    assert (use.state, deploy.state) == ("ok", state)
    assert f"iam:CreateRole on arn:aws:iam::{ACCOUNT}:role/sageline-*" in deploy.what


def test_who_may_not_use_a_stack_fails() -> None:
    with stubbed(aws().iam) as iam:
        simulate(iam, USER.arn, "execute-api:Invoke")
        use, _ = check_permissions(aws(), USER, "sageline", "the-bucket")

    assert use.state == "failed"
    assert "execute-api:Invoke" in use.what


@pytest.mark.slow
def test_where_iam_may_not_be_asked_calls_that_only_read_are_tried_and_leave_the_rest_unknown() -> None:
    with tried():
        [finding] = check_permissions(aws(), USER, "sageline", None)

    assert finding.state == "unknown"
    assert "only read were tried" in finding.what


def test_a_call_that_is_refused_is_named() -> None:
    with tried(refused="list_functions"):
        [finding] = check_permissions(aws(), USER, "sageline", None)

    assert finding.state == "warning"
    assert finding.what.startswith("Refused: lambda:ListFunctions (")


def test_the_root_user_may_do_everything() -> None:
    assert by_state(check_permissions(aws(), CallerIdentity(f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT), "sageline", None)) == ["ok"]
