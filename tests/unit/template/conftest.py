from __future__ import annotations

import pytest

from tests.unit.template import documents
from tests.unit.template.documents import Document


@pytest.fixture(scope="session")
def source() -> Document:
    """The template as written."""
    return documents.template()


@pytest.fixture(scope="session")
def stack() -> Document:
    """The template as CloudFormation gets it."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        return documents.expanded(documents.template())


@pytest.fixture(scope="session")
def machine() -> Document:
    """The state machine; each function's ARN is its logical id, and CheckTraining looks again after 300 s."""
    substitutions = documents.template()["Resources"]["Pipeline"]["Properties"]["DefinitionSubstitutions"]
    arns = {name: name.removesuffix("Arn") for name in substitutions}
    return documents.definition({**arns, "CheckIntervalSeconds": "300"})
