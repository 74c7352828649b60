"""The roles that SageMaker works as for a run. What is isolated never sees its role's credentials; what is not has them."""

from __future__ import annotations

from dataclasses import dataclass

from sageline.spec.training import AlgorithmSpec
from sageline.training.source import network_refused, uses_network

NONE = "none"
"""What a function's environment says instead of a role that the stack does not have."""


@dataclass(frozen=True)
class JobRoles:
    """``isolated`` for jobs, and models on instances, without a network; ``network`` for those of scripts that use it, None
    where the stack lets none."""

    isolated: str
    network: str | None

    def of(self, algorithm: AlgorithmSpec) -> str:
        """The role of an algorithm's jobs.

        Raises:
            InvalidSpec: its script wants the network, and the stack lets none use it.
        """
        if not uses_network(algorithm):
            return self.isolated
        if self.network is None:
            raise network_refused()
        return self.network


@dataclass(frozen=True)
class ModelRoles(JobRoles):
    """``serverless``: for models on serverless endpoints, which cannot be isolated; it may read models and write nothing."""

    serverless: str


def named(role_arn: str) -> str | None:
    """A role in a function's environment; None where the stack has none."""
    return None if role_arn == NONE else role_arn
