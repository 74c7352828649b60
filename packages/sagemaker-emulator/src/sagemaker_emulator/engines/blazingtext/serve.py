"""The container's ``serve``: ``python -m sagemaker_emulator.engines.blazingtext.serve --root DIR --socket FD``.

The answer has the type of the request: JSON for JSON, JSON Lines for JSON Lines, whatever is accepted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import floret
from starlette.applications import Starlette
from starlette.responses import Response

from sagemaker_emulator.engines.blazingtext import model_file, vectors
from sagemaker_emulator.engines.blazingtext.train import MODEL_NAME
from sagemaker_emulator.engines.shell import serving
from sagemaker_emulator.engines.shell.serving import CannotLoad, Invocation, Refused

JSON, JSON_LINES = "application/json", "application/jsonlines"

Answer = dict[str, object]
Predict = Callable[[str, int], Answer]


def load(directory: Path) -> Predict:
    """What answers for one text and a number of labels; raises :class:`CannotLoad`."""
    try:
        if (directory / MODEL_NAME).is_file():
            return _classifier(model_file.load(directory / MODEL_NAME))
        if (directory / vectors.BINARY).is_file():
            return _lookup(vectors.load(directory / vectors.BINARY))
    except model_file.NoModel as error:
        raise CannotLoad(f"The model cannot be loaded: {error}.") from error
    raise CannotLoad(f"The archive must hold {MODEL_NAME} or {vectors.BINARY} at its root.")


def _classifier(model: floret.floret._floret) -> Predict:
    def predict(text: str, k: int) -> Answer:
        # One line; floret's own predict() fails with numpy 2, the function below it does not.
        found = model.f.predict(" ".join(text.split()) + "\n", k, 0.0, "strict")
        return {"label": [label for _, label in found], "prob": [probability for probability, _ in found]}

    return predict


def _lookup(words: vectors.Vectors) -> Predict:
    def predict(text: str, _: int) -> Answer:
        return {"word": text, "vector": words.of(text).tolist()}

    return predict


def application(predict: Predict, environment: Mapping[str, str]) -> Starlette:
    def answer(invocation: Invocation) -> Response:
        kind = (invocation.content_type or "").partition(";")[0].strip().lower()
        if kind == JSON:
            body = _json(invocation.body.decode(errors="replace"))
            k = _k(_member(body, "configuration", {}))
            answers = [predict(_text(item, "instances"), k) for item in _list(body)]
            return Response(json.dumps(answers), media_type=JSON)
        if kind == JSON_LINES:
            lines = [_json(line) for line in invocation.body.decode(errors="replace").splitlines() if line.strip()]
            written = [json.dumps(predict(_text(_member(line, "source", None), "source"), _k(line))) for line in lines]
            return Response("".join(f"{line}\n" for line in written), headers={"content-type": JSON_LINES})
        raise Refused(415, f"Content type {invocation.content_type} is not supported. Supported are {JSON} and {JSON_LINES}.")

    return serving.application(answer, serving.most_bytes(environment))


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise Refused(400, f"unable to evaluate payload provided: {error}") from error


def _member(body: object, name: str, default: object) -> object:
    if not isinstance(body, dict):
        raise Refused(400, "unable to evaluate payload provided: a JSON object is expected")
    return body.get(name, default)


def _list(body: object) -> list[object]:
    instances = _member(body, "instances", None)
    if not isinstance(instances, list) or not instances:
        raise Refused(400, 'unable to evaluate payload provided: "instances" must be a list of texts')
    return instances


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise Refused(400, f'unable to evaluate payload provided: "{name}" has {json.dumps(value)[:80]} where a text is expected')
    return value


def _k(settings: object) -> int:
    k = _member(settings, "k", 1)
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise Refused(400, f'unable to evaluate payload provided: "k" must be a whole number from 1, not {json.dumps(k)[:80]}')
    return k


if __name__ == "__main__":
    serving.run(lambda directory, environment: application(load(directory), environment))
