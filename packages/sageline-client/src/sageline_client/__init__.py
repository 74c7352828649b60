"""A client of Sageline's HTTP API for applications. What its methods answer is in :mod:`sageline_client.answers`."""

from sageline_client.auth import BearerToken, SigV4
from sageline_client.client import Sageline
from sageline_client.errors import (
    ApiError,
    Conflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    NotReady,
    RequestTooLarge,
    ServerError,
    TimedOut,
    TooManyRequests,
    Unauthorized,
    Unreachable,
)
from sageline_client.predicting import Instance, PredictionText
from sageline_client.retries import Retries

__all__ = [
    "ApiError",
    "BearerToken",
    "Conflict",
    "Forbidden",
    "Instance",
    "InvalidRequest",
    "NotFound",
    "NotReady",
    "PredictionText",
    "RequestTooLarge",
    "Retries",
    "Sageline",
    "ServerError",
    "SigV4",
    "TimedOut",
    "TooManyRequests",
    "Unauthorized",
    "Unreachable",
]
