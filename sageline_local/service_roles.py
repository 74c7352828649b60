"""Roles that services assume for an account: trust policies with ``aws:SourceAccount``.

MiniStack 1.5.33 lets its root assume the role of a service, as its own services do, and knows no source account then: a
trust policy that names one, as the template's for SageMaker does, is never met.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ministack.core import iam_evaluator


def install() -> None:
    """Have MiniStack say that the account itself is what a service assumes a role for."""
    evaluate = iam_evaluator.evaluate_trust_policy

    def evaluate_for_account(document: Any, caller_arn: str, context: Any = None) -> bool:  # Any: MiniStack's
        if context is not None and caller_arn.endswith(":root"):
            context = replace(
                context, service_context={**context.service_context, "aws:sourceaccount": context.principal_account}
            )
        allowed: bool = evaluate(document, caller_arn, context)
        return allowed

    iam_evaluator.evaluate_trust_policy = evaluate_for_account
