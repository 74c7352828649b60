from __future__ import annotations

from typing import Any

import pytest

from sageline.aws.clients import CLIENTS, Clients, sagemaker_runtime


def test_a_client_is_made_once_and_when_it_is_first_asked_for() -> None:
    clients = Clients()
    assert vars(clients) == {}
    assert clients.sagemaker is clients.sagemaker
    assert vars(clients).keys() == {"sagemaker"}


@pytest.mark.parametrize("service", ["s3", "sagemaker", "stepfunctions", "logs", "lambda_"])
def test_every_client_retries_the_standard_way(service: str) -> None:
    config = getattr(CLIENTS, service).meta.config
    assert config.retries["mode"] == "standard"


def test_an_answer_that_hangs_is_asked_for_again_within_the_time_of_the_shortest_function() -> None:
    for client in (CLIENTS.s3, CLIENTS.sagemaker, CLIENTS.stepfunctions, CLIENTS.dynamodb, CLIENTS.logs):
        config: Any = client.meta.config
        assert 2 * config.read_timeout < 29
        assert config.retries["total_max_attempts"] > 1


def test_a_model_is_given_as_long_as_its_caller_can_wait_and_asked_once() -> None:
    config: Any = sagemaker_runtime(24).meta.config  # the stubs do not know its attributes
    assert config.read_timeout == 24
    assert config.retries["total_max_attempts"] == 1
    assert sagemaker_runtime(24) is not sagemaker_runtime(65)


def test_a_function_that_is_called_for_the_http_api_is_called_once() -> None:
    config: Any = CLIENTS.lambda_.meta.config
    assert config.retries["total_max_attempts"] == 1
