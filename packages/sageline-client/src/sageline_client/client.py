"""The client: one object for one API."""

from __future__ import annotations

import os
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import httpx

from sageline_client.answers import Predictions
from sageline_client.auth import BearerToken, SigV4, Token
from sageline_client.datasets import Datasets
from sageline_client.endpoints import Endpoints
from sageline_client.http import TIMEOUT, Http, json_object
from sageline_client.predicting import Instance, PredictionOptions, PredictionText, predictions_path, send_rows
from sageline_client.retries import Retries
from sageline_client.runs import Runs


class Sageline:
    """Sageline's HTTP API. Threads may share it; it keeps connections open until it is closed, as ``with`` does.

    Every method raises :class:`sageline_client.ApiError`, of the subclass that says what it is, when a request is refused, fails
    or has no answer.

    Attributes:
        datasets: uploading and inspecting data.
        runs: what trains, deploys and scores.
        endpoints: what serves.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        token: Token | None = None,
        auth: httpx.Auth | None = None,
        retries: Retries | None = None,
        timeout: httpx.Timeout = TIMEOUT,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Without ``token`` and ``auth``, requests are signed with the AWS credentials that boto3 would find.

        Args:
            url: the stack's output ``ApiUrl``, or with a token that of the API for tokens. The environment's
                ``SAGELINE_API_URL`` unless given.
            token: a bearer token, or what gives a fresh one.
            auth: how requests are signed: ``SigV4(credentials, region)`` for credentials at hand.
            retries: how long requests are sent again; a minute, unless given.
            timeout: of one try. API Gateway ends a request after 30 seconds.
            transport: of httpx; without one the environment's proxies count.

        Raises:
            ValueError: there is no URL, or it is none, or there are no credentials.
            ImportError: botocore is needed for AWS credentials, and not installed.
        """
        url = (url or os.environ.get("SAGELINE_API_URL", "")).rstrip("/")
        if not url:
            raise ValueError("The API's URL is missing: give the stack's output ApiUrl, or set SAGELINE_API_URL.")
        if not _is_of_http(url):
            raise ValueError(f"{url!r} is no URL of an API: it begins with https://, as the stack's output ApiUrl does.")
        if token is not None and auth is not None:
            raise ValueError("Give either a token or auth.")
        if token is not None:
            auth = BearerToken(token)
        client = httpx.Client(auth=auth or SigV4.of_environment(url), timeout=timeout, transport=transport)
        plain = httpx.Client(transport=transport)
        self._use(Http(url, client, retries or Retries()), plain)

    def _use(self, http: Http, plain: httpx.Client) -> None:
        self._http, self._plain = http, plain
        self.datasets = Datasets(http, plain)
        self.runs = Runs(http)
        self.endpoints = Endpoints(http)

    def with_retries(self, retries: Retries) -> Sageline:
        """The same client, on the same connections, that sends again as told."""
        other = object.__new__(Sageline)
        other._use(Http(self._http.url, self._http.client, retries), self._plain)
        return other

    def predict(
        self,
        endpoint: str,
        instances: Sequence[Instance],
        *,
        top_k: int = 1,
        session: str | None = None,
        strict: bool = False,
        probabilities: bool = False,
    ) -> Predictions:
        """Predictions of raw rows: 1 to 1,000 objects of columns, arrays, texts, or image files as bytes.

        Args:
            top_k: how many labels to name for each row, at most the number of classes.
            session: the same session is answered by the same variant, as long as there is one.
            strict: refuse rows about which there would be a warning.
            probabilities: tell that of every class.
        """
        body = PredictionOptions(top_k, session, strict, probabilities).body(instances)
        answer: Predictions = self._http.json("POST", predictions_path(endpoint), body=body, repeatable=True)
        return answer

    def predict_body(
        self,
        endpoint: str,
        body: bytes | str,
        content_type: str,
        *,
        top_k: int = 1,
        session: str | None = None,
        strict: bool = False,
        probabilities: bool = False,
    ) -> Predictions:
        """Predictions of rows as they are in a file: ``text/csv``, ``application/jsonlines``, or of one image, ``image/png``.

        Args:
            top_k, session, strict, probabilities: as for :meth:`predict`.
        """
        options = PredictionOptions(top_k, session, strict, probabilities)
        response = send_rows(self._http, endpoint, body, options, content_type=content_type, accept="application/json")
        answer: Any = json_object(response)  # of the type that the route answers
        predictions: Predictions = answer
        return predictions

    def predict_text(
        self,
        endpoint: str,
        body: bytes | str,
        content_type: str,
        accept: str = "text/csv",
        *,
        top_k: int = 1,
        session: str | None = None,
        strict: bool = False,
        probabilities: bool = False,
    ) -> PredictionText:
        """As :meth:`predict_body`, answered in CSV, or in JSON Lines: ``accept="application/jsonlines"``."""
        options = PredictionOptions(top_k, session, strict, probabilities)
        return PredictionText.of(send_rows(self._http, endpoint, body, options, content_type=content_type, accept=accept))

    def openapi(self) -> dict[str, Any]:  # an OpenAPI document
        """The OpenAPI description of the API."""
        answer: dict[str, Any] = self._http.json("GET", "/openapi.json")  # as above
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._http.client.close()
        self._plain.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()


def _is_of_http(url: str) -> bool:
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    return parts.scheme in ("http", "https") and bool(parts.host)
