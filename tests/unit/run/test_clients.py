from __future__ import annotations

from typing import Any

import pytest

from sageline import clients


def test_a_client_is_made_once() -> None:
    assert clients.sagemaker() is clients.sagemaker()
    assert clients.table("runs") is clients.table("runs")


@pytest.mark.parametrize("service", ["s3", "sagemaker", "sagemaker_runtime", "stepfunctions", "logs", "lambda_"])
def test_every_client_retries_the_standard_way(service: str) -> None:
    config = getattr(clients, service)().meta.config
    assert config.retries["mode"] == "standard"


def test_a_slow_model_is_given_the_time_that_sagemaker_gives_it() -> None:
    config: Any = clients.sagemaker_runtime().meta.config  # the stubs do not know its attributes
    assert config.read_timeout > 60
