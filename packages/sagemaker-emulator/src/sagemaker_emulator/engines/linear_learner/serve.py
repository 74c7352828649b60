"""The container's ``serve``: ``python -m sagemaker_emulator.engines.linear_learner.serve --root DIR --socket FD``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from starlette.applications import Starlette
from starlette.responses import Response

from sagemaker_emulator.engines.first_party.requests import accepted, read_request, write_answer
from sagemaker_emulator.engines.linear_learner.model import MODEL_NAME, LinearModel
from sagemaker_emulator.engines.shell import serving
from sagemaker_emulator.engines.shell.serving import CannotLoad, Invocation


def load(directory: Path) -> LinearModel:
    """Raises :class:`CannotLoad`."""
    try:
        return LinearModel.load(directory / MODEL_NAME)
    except ValueError as error:
        raise CannotLoad(f"The model cannot be loaded: {error}") from error


def application(model: LinearModel, environment: Mapping[str, str]) -> Starlette:
    def answer(invocation: Invocation) -> Response:
        kind = accepted(invocation.accept, environment)
        rows = read_request(invocation, model.width)
        return Response(write_answer(model.predictions(rows), kind), headers={"content-type": kind})

    return serving.application(answer, serving.most_bytes(environment))


if __name__ == "__main__":
    serving.run(lambda directory, environment: application(load(directory), environment))
