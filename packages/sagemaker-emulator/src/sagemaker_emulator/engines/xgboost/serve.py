"""The container's ``serve``: ``python -m sagemaker_emulator.engines.xgboost.serve --root DIR --socket FD``."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.responses import Response

from sagemaker_emulator.engines.shell.serving import Invocation, Refused, run
from sagemaker_emulator.engines.shell.serving import application as shell_application
from sagemaker_emulator.engines.xgboost.answers import (
    CSV,
    CannotEncode,
    NotAcceptable,
    accepted_type,
    encode,
    encode_batch,
    encode_one_line,
)
from sagemaker_emulator.engines.xgboost.channels import request_format
from sagemaker_emulator.engines.xgboost.failures import without_stack_trace
from sagemaker_emulator.engines.xgboost.library import xgboost
from sagemaker_emulator.engines.xgboost.models import PickledBooster, load_models
from sagemaker_emulator.engines.xgboost.requests import UndecodableRequest, decode
from sagemaker_emulator.engines.xgboost.selection import NotSelectable, encode_selected, select, wanted_keys
from sagemaker_emulator.engines.xgboost.versions import version_of


class Answering:
    """How predictions are answered, by the model's environment and the image."""

    def __init__(self, models: list[xgboost.Booster], environment: Mapping[str, str]) -> None:
        config = json.loads(models[0].save_config())["learner"]
        self._objective = str(config["objective"]["name"])
        self._num_class = int(config["learner_model_param"].get("num_class", "0"))
        # The container lets them vote, and returns the vote on the first row alone, which it cannot write.
        self._fails = len(models) > 1 and self._objective in ("multi:softmax", "binary:hinge")
        version = version_of(environment)
        self._selected = environment.get("SAGEMAKER_INFERENCE_OUTPUT") if version.selects else None
        self._one_line = version.answers_in_one_line and not self._selected
        self._batch = bool(environment.get("SAGEMAKER_BATCH"))
        self._default = environment.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", CSV)

    def accepted(self, accept: str | None) -> str:
        return CSV if self._one_line else accepted_type(accept, self._default)

    def encode(self, predictions: NDArray[np.float32], accept: str) -> bytes:
        if self._fails:
            raise CannotEncode(f"The container fails to answer with several models of {self._objective}: deploy one of them.")
        if self._selected:
            keys = wanted_keys(self._selected)
            selected = encode_selected(select(predictions, keys, self._objective, self._num_class), keys, accept)
            return selected + b"\n" if self._batch and accept == CSV else selected
        if self._batch:
            return encode_batch(predictions)
        return encode_one_line(predictions) if self._one_line else encode(predictions, accept)


def predict(models: list[xgboost.Booster], rows: xgboost.DMatrix) -> NDArray[np.float32]:
    answers = [model.predict(rows, validate_features=False) for model in models]
    mean: NDArray[np.float32] = answers[0] if len(answers) == 1 else np.mean(answers, axis=0)
    return mean


def application(models: list[xgboost.Booster], environment: Mapping[str, str]) -> Starlette:
    """``/ping`` and ``/invocations`` over loaded models."""
    answering = Answering(models, environment)
    version = version_of(environment)
    told = version.unlike(xgboost.__version__)
    if told:
        sys.stderr.write(f"{told}\n")

    def answer(invocation: Invocation) -> Response:
        if not invocation.body:
            return Response(status_code=204)
        try:
            rows = decode(invocation.body, invocation.content_type, version)
            if isinstance(models[0], PickledBooster):
                models[0].check_width(rows, request_format(invocation.content_type, version))
            predictions = predict(models, rows)
            accept = answering.accepted(invocation.accept)
            return Response(answering.encode(predictions, accept), media_type=accept)
        except UndecodableRequest as error:
            raise Refused(415, str(error)) from error
        except NotAcceptable as error:
            raise Refused(406, str(error)) from error
        except (NotSelectable, CannotEncode) as error:
            raise Refused(500, str(error)) from error
        except (xgboost.core.XGBoostError, ValueError) as error:
            raise Refused(400, f"Unable to evaluate payload provided: {without_stack_trace(error)}") from error

    # A transform job's own limit is not looked at.
    return shell_application(answer, int(environment.get("MAX_CONTENT_LENGTH", 6_291_456)))


if __name__ == "__main__":
    run(lambda directory, environment: application(load_models(directory), environment))
