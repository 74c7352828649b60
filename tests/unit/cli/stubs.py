"""Clients whose answers are given beforehand and checked against botocore's models of the services."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
from botocore.stub import Stubber

from sageline_cli.aws import Aws

ACCOUNT = "111122223333"


@cache
def aws(region: str = "eu-west-1") -> Aws:
    return Aws(boto3.Session("testing", "testing", region_name=region))


@contextmanager
def stubbed(client: Any) -> Iterator[Stubber]:  # any of boto3's clients
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()
