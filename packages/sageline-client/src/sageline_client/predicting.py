"""Predictions: the bodies that are sent, and the answers that are no JSON."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import httpx

from sageline_client.http import Http, segment

Instance: TypeAlias = Mapping[str, object] | Sequence[object] | str | bytes
"""A row: its columns by name, all values in the columns' order, or a text or an image file where that is the only column."""


@dataclass(frozen=True)
class PredictionText:
    """Predictions as a text: CSV or JSON Lines.

    Attributes:
        text: a line for each row.
        content_type: what it is.
        variant, model_version: who has answered.
        warnings: what was odd about rows.
    """

    text: str
    content_type: str
    variant: str
    model_version: str
    warnings: tuple[str, ...]

    @classmethod
    def of(cls, response: httpx.Response) -> PredictionText:
        headers = response.headers
        return cls(
            text=response.text,
            content_type=headers.get("content-type", ""),
            variant=headers.get("sageline-variant", ""),
            model_version=headers.get("sageline-model-version", ""),
            warnings=tuple(json.loads(headers.get("sageline-warnings", "[]"))),
        )


@dataclass(frozen=True)
class PredictionOptions:
    """What may be asked for beside the rows."""

    top_k: int
    session: str | None
    strict: bool
    probabilities: bool

    def body(self, instances: Sequence[Instance]) -> dict[str, object]:
        """A JSON body of these rows; image files among them in base64. Options that are as the API has them are left out."""
        rows = [_row(instance) for instance in instances]
        body: dict[str, object] = {"instances": rows, "top_k": self.top_k}
        if self.session is not None:
            body["session"] = self.session
        return body | {name: True for name in ("strict", "probabilities") if getattr(self, name)}

    def query(self) -> dict[str, str]:
        """The same beside a body that is the rows alone."""
        query = {"top_k": str(self.top_k)}
        if self.session is not None:
            query["session"] = self.session
        return query | {name: "true" for name in ("strict", "probabilities") if getattr(self, name)}


def send_rows(
    http: Http, endpoint: str, body: bytes | str, options: PredictionOptions, *, content_type: str, accept: str
) -> httpx.Response:
    """Rows in a body of their own type."""
    return http.send(
        "POST",
        predictions_path(endpoint),
        query=options.query(),
        content=body.encode() if isinstance(body, str) else body,
        headers={"content-type": content_type, "accept": accept},
        repeatable=True,
    )


def predictions_path(endpoint: str) -> str:
    return f"/endpoints/{segment(endpoint)}/predictions"


def _row(instance: Instance) -> object:
    if isinstance(instance, bytes):
        return _base64(instance)
    if isinstance(instance, Mapping):
        return {name: _base64(value) if isinstance(value, bytes) else value for name, value in instance.items()}
    return instance


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
