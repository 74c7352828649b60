"""The container's ``serve``: ``python -m sagemaker_emulator.engines.knn.serve --root DIR --socket FD``."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import Message
from pathlib import Path

from starlette.applications import Starlette
from starlette.responses import Response

from sagemaker_emulator.engines.first_party.requests import accepted, read_request, wanted, write_answer
from sagemaker_emulator.engines.knn.model import KnnModel
from sagemaker_emulator.engines.shell import serving
from sagemaker_emulator.engines.shell.serving import CannotLoad, Invocation


def load(directory: Path) -> KnnModel:
    """Raises :class:`CannotLoad`."""
    try:
        return KnnModel.load(directory)
    except ValueError as error:
        raise CannotLoad(f"The model cannot be loaded: {error}") from error


def application(model: KnnModel, environment: Mapping[str, str]) -> Starlette:
    def answer(invocation: Invocation) -> Response:
        kind = accepted(invocation.accept, environment)
        rows = read_request(invocation, model.width)
        predictions = model.predictions(rows, verbose=_is_verbose(wanted(invocation.accept, environment)))
        return Response(write_answer(predictions, kind), headers={"content-type": kind})

    return serving.application(answer, serving.most_bytes(environment))


def _is_verbose(accept: str) -> bool:
    header = Message()
    header["accept"] = accept
    return str(header.get_param("verbose", "", header="accept")).lower() == "true"


if __name__ == "__main__":
    serving.run(lambda directory, environment: application(load(directory), environment))
