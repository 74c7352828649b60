"""``code/inference.py``: the customer's functions before and after TensorFlow Serving."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from sagemaker_emulator.engines.script.failures import ScriptFailed
from sagemaker_emulator.engines.script.program import Job, Stopping, child_environment, install_requirements
from sagemaker_emulator.engines.shell.serving import CannotLoad


class Context(NamedTuple):
    """What a handler is told of a request."""

    model_name: str | None
    model_version: str | None
    method: str | None
    rest_uri: str
    grpc_port: str | None
    channel: object
    custom_attributes: str | None
    request_content_type: str
    accept_header: str
    content_length: int


@dataclass(frozen=True)
class ServingResponse:
    """TensorFlow Serving's answer, with the members of a response that output handlers use."""

    status_code: int
    content: bytes

    @property
    def ok(self) -> bool:
        return self.status_code < 400

    @property
    def text(self) -> str:
        return self.content.decode()

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Content-Type": "application/json"}

    def json(self) -> Any:  # Any: JSON
        return json.loads(self.content)


# Posts a body to the model that the context names.
Post = Callable[[object, Context], ServingResponse]
Handler = Callable[[BinaryIO, Context, Post], tuple[object, str]]


def load_handlers(model_dir: Path, environment: Mapping[str, str]) -> Handler | None:
    """The handler of ``code/inference.py``; None without one. Raises CannotLoad."""
    code = model_dir / "code"
    if not (code / "inference.py").exists():
        return None
    lib, packages = code / "lib", model_dir.parent / "packages"
    sys.path[:0] = [str(code), str(lib), str(packages)]
    try:
        if not lib.is_dir():
            install_requirements(Job(code, packages, child_environment(environment, {}, [packages]), Stopping()))
        spec = importlib.util.spec_from_file_location("inference", code / "inference.py")
        if spec is None or spec.loader is None:
            raise CannotLoad("code/inference.py can not be imported.")
        module: Any = importlib.util.module_from_spec(spec)  # the customer's
        spec.loader.exec_module(module)
    except ScriptFailed as error:
        raise CannotLoad(str(error)) from error
    except CannotLoad:
        raise
    except Exception as error:  # whatever the customer's code raises
        raise CannotLoad(f"code/inference.py: {type(error).__name__}: {error}") from error
    if hasattr(module, "handler"):
        return lambda data, context, _post: module.handler(data, context)
    if hasattr(module, "input_handler") and hasattr(module, "output_handler"):
        return lambda data, context, post: module.output_handler(post(module.input_handler(data, context), context), context)
    raise CannotLoad("Handlers are not implemented correctly in user script.")
