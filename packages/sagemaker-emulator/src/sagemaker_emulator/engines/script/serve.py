"""The model servers of scikit-learn, PyTorch and XGBoost with code of the customer's own.

``python -m sagemaker_emulator.engines.script.serve --root DIR --socket FD``: the code is in ``DIR/code``, where the service has
put what ``SAGEMAKER_SUBMIT_DIRECTORY`` names in S3, or in the model's own ``code`` folder. PyTorch's container
knows only the latter.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import json
import logging
import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from starlette.applications import Starlette
from starlette.responses import Response

from sagemaker_emulator.engines.script.codecs import ANY, JSON, TEXTS
from sagemaker_emulator.engines.script.defaults import Defaults, Function, defaults_of
from sagemaker_emulator.engines.script.environment import in_root
from sagemaker_emulator.engines.script.failures import ScriptFailed
from sagemaker_emulator.engines.script.frameworks import PYTORCH, SCIKIT_LEARN, Framework, framework_of, missing_framework
from sagemaker_emulator.engines.script.program import Job, Stopping, child_environment, install_requirements
from sagemaker_emulator.engines.shell import serving
from sagemaker_emulator.engines.shell.serving import CannotLoad, Invocation

logger = logging.getLogger(__name__)


class Handlers:
    """The customer's functions over a loaded model; the container's own where there is none."""

    def __init__(self, module: ModuleType | None, defaults: Defaults, model_dir: Path) -> None:
        own = {name: getattr(module, name, None) for name in ("transform_fn", "input_fn", "predict_fn", "output_fn")}
        if own["transform_fn"] and (own["input_fn"] or own["predict_fn"] or own["output_fn"]):
            raise ValueError(
                "Cannot use transform_fn implementation in conjunction with input_fn, predict_fn, and/or output_fn implementation"
            )
        self._context = SimpleNamespace(system_properties={"model_dir": str(model_dir)})
        self._input: Function = own["input_fn"] or defaults.input_fn
        self._predict: Function = own["predict_fn"] or defaults.predict_fn
        self._output: Function = own["output_fn"] or defaults.output_fn
        self._transform: Function = own["transform_fn"] or self._three_steps
        load: Function = getattr(module, "model_fn", defaults.model_fn)
        self._model = self._call(load, str(model_dir))

    def answer(self, body: str | bytes, content_type: str, accept: str) -> tuple[bytes | str, str]:
        """The answer's body and its content type; raises what the customer's functions raise."""
        result = self._call(self._transform, self._model, body, content_type, accept)
        if isinstance(result, tuple):
            result, accept = result
        if not isinstance(result, bytes | bytearray | str):
            raise TypeError(f"The answer must be bytes or text, not {type(result).__name__}: output_fn encodes it.")
        return (bytes(result) if isinstance(result, bytearray) else result), accept

    def _three_steps(self, model: Any, body: str | bytes, content_type: str, accept: str) -> Any:  # Any: the customer's
        data = self._call(self._input, body, content_type)
        prediction = self._call(self._predict, data, model)
        return self._call(self._output, prediction, accept)

    def _call(self, function: Function, *arguments: object) -> Any:  # Any: the customer's
        """A function may take the context besides."""
        takes = len(inspect.signature(function).parameters)
        return function(*arguments, self._context) if takes == len(arguments) + 1 else function(*arguments)


def make(model_dir: Path, environment: Mapping[str, str]) -> Starlette:
    """Load code and model; raises CannotLoad with the reason for the endpoint."""
    framework = framework_of(environment.get("SAGEMAKER_TRAINING_MODULE", "")) or SCIKIT_LEARN
    os.environ["SM_MODEL_DIR"] = str(model_dir)
    with contextlib.suppress(OSError):
        # The SDK 3 packs this folder also if nothing is in it, and its code copies it to /lib, which nobody can write to here.
        (model_dir / "shared_libs").rmdir()
    try:
        module = load_module(model_dir.parent, environment, framework)
        handlers = Handlers(module, defaults_of(framework), model_dir)
    except CannotLoad:
        raise
    except Exception as error:  # whatever the customer's code raises
        traceback.print_exc()
        missing = missing_framework(str(error))
        raise CannotLoad(missing.missing if missing else f"{type(error).__name__}: {error}") from error
    default_accept = environment.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", JSON)

    def answer(invocation: Invocation) -> Response:
        content_type = invocation.content_type or JSON
        accept = invocation.accept if invocation.accept and invocation.accept != ANY else default_accept
        body = invocation.body
        try:
            result, media_type = handlers.answer(body.decode() if content_type in TEXTS else body, content_type, accept)
        except Exception as error:  # whatever the customer's code raises, and types that nothing decodes or encodes
            traceback.print_exc()
            return failed(error, framework)
        return Response(result, headers={"content-type": media_type})

    return serving.application(answer, serving.most_bytes(environment))


def failed(error: Exception, framework: Framework) -> Response:
    """An error, with status 500 as all have there. PyTorch's container says this; the others answer a page without a reason."""
    trace = "".join(traceback.format_exception(error))
    if framework == PYTORCH:
        return Response(f"{error}\n{trace}", 500, media_type="text/plain")
    content = {"error": type(error).__name__, "error-message": str(error), "stack-trace": trace}
    return Response(json.dumps(content), 500, media_type=JSON)


def load_module(root: Path, environment: Mapping[str, str], framework: Framework) -> ModuleType | None:
    """The customer's module, with its folder and its requirements to import from; None when PyTorch's image has none."""
    code = _code_folder(root, environment.get("SAGEMAKER_SUBMIT_DIRECTORY", ""), framework)
    program = environment.get("SAGEMAKER_PROGRAM") or "inference.py"
    if not (code / program).exists():
        if framework == PYTORCH:
            logger.warning("No %s in the code folder of the model: the container's own functions serve", program)
            return None
        raise CannotLoad(
            f"The program {program} (SAGEMAKER_PROGRAM) is neither in the archive that SAGEMAKER_SUBMIT_DIRECTORY names nor in "
            "the code folder of the model."
        )
    packages = root / "packages"
    job = Job(code, packages, child_environment(environment, {}, [packages]), Stopping())
    try:
        install_requirements(job)
    except ScriptFailed as error:
        raise CannotLoad(str(error)) from error
    sys.path[:0] = [str(code), str(packages), str(code / "lib")]
    return importlib.import_module(program.removesuffix(".py").replace("/", "."))


def _code_folder(root: Path, given: str, framework: Framework) -> Path:
    """PyTorch's container looks into the model only, the others first where ``SAGEMAKER_SUBMIT_DIRECTORY`` says."""
    in_model, fetched = root / "model" / "code", root / "code"
    if framework == PYTORCH:
        return in_model
    if given and not given.startswith("s3://"):
        return Path(str(in_root(given, root)))
    return fetched if fetched.is_dir() else in_model


if __name__ == "__main__":
    serving.run(make)
