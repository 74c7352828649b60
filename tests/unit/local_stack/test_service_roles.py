"""Roles of services. The first test guards the place where this leans on MiniStack's inside."""

from __future__ import annotations

import pytest
from ministack.core import iam_evaluator
from ministack.core.iam_evaluator import EvalContext

from sageline_local.service_roles import install

ROOT, ACCOUNT = "arn:aws:iam::000000000000:root", "000000000000"


def trust(account: str) -> dict[str, object]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def may_assume(document: dict[str, object], caller: str) -> bool:
    kind = "Root" if caller == ROOT else "User"
    context = EvalContext(caller, kind, ACCOUNT, "sts:AssumeRole", "arn:aws:iam::000000000000:role/R", "us-east-1")
    allowed: bool = iam_evaluator.evaluate_trust_policy(document, caller, context)
    return allowed


def test_ministack_still_knows_no_source_account() -> None:
    assert not may_assume(trust(ACCOUNT), ROOT)


def test_the_accounts_own_services_may_assume_a_role_that_asks_for_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iam_evaluator, "evaluate_trust_policy", iam_evaluator.evaluate_trust_policy)
    install()

    assert may_assume(trust(ACCOUNT), ROOT)
    assert not may_assume(trust("111111111111"), ROOT)
    assert not may_assume(trust(ACCOUNT), "arn:aws:iam::000000000000:user/somebody")
