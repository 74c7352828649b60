"""What each framework's container does where the customer's module has no function of its own.

PyTorch's container decodes and encodes with ``sagemaker-inference``, which is used here too, but for its ``Transformer``, a
handler of the multi-model server that is not here, and for npy, which it reads with pickles in it: these run what they say, on
this machine. The older images have the codecs of ``sagemaker-containers`` (:mod:`codecs
<sagemaker_emulator.engines.script.codecs>`).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sagemaker_inference import decoder, encoder
from sagemaker_inference.errors import UnsupportedFormatError
from sagemaker_inference.utils import parse_accept

from sagemaker_emulator.engines.script.codecs import TEXTS, decode, encode
from sagemaker_emulator.engines.script.frameworks import PYTORCH, SCIKIT_LEARN, XGBOOST, Framework

# The customer's model, what it is given and what it answers can be anything.
Function = Callable[..., Any]


@dataclass(frozen=True)
class Defaults:
    """Called as ``model_fn(model_dir)``, ``input_fn(body, content_type)``, ``predict_fn(data, model)``,
    ``output_fn(prediction, accept)``.
    """

    model_fn: Function
    input_fn: Function
    predict_fn: Function
    output_fn: Function


class ModelLoadError(Exception):
    """A file that is no TorchScript."""


def defaults_of(framework: Framework) -> Defaults:
    return {
        SCIKIT_LEARN: Defaults(no_model_fn, numbers, predict, encode),
        XGBOOST: Defaults(no_model_fn, xgboost_matrix, predict_rows, encode),
        PYTORCH: Defaults(torchscript_model, tensor, call_model, encode_accepted),
    }[framework]


def no_model_fn(_model_dir: str) -> Any:  # Any: what a model_fn returns
    raise NotImplementedError(
        "Please provide a model_fn implementation. See documentation for model_fn at https://github.com/aws/sagemaker-python-sdk"
    )


def numbers(body: str | bytes, content_type: str) -> Any:  # Any: what an input_fn returns
    array = decode(body, content_type)
    return array.astype(np.float32) if content_type in TEXTS else array


def predict(data: Any, model: Any) -> Any:  # Any: the customer's
    return model.predict(data)


def xgboost_matrix(body: str | bytes, content_type: str) -> Any:  # Any: what an input_fn returns
    """A DMatrix, of what the container takes in algorithm mode."""
    from sagemaker_emulator.engines.xgboost.requests import UndecodableRequest, decode  # noqa: PLC0415  # imports XGBoost

    try:
        return decode(body.encode() if isinstance(body, str) else body, content_type)
    except UndecodableRequest as error:
        raise UnsupportedFormatError(content_type) from error


def predict_rows(data: Any, model: Any) -> Any:  # Any: the customer's
    return model.predict(data, validate_features=False)


def torchscript_model(model_dir: str) -> Any:  # Any: a module of PyTorch, which need not be installed
    """``model.pt``, or the only ``.pt`` or ``.pth`` file, in TorchScript."""
    torch = importlib.import_module("torch")
    path = Path(model_dir) / "model.pt"
    if not path.exists():
        paths = [path for path in sorted(Path(model_dir).iterdir()) if path.is_file() and path.suffix in (".pt", ".pth")]
        if len(paths) != 1:
            raise ValueError(f"Exactly one .pth or .pt file is required for PyTorch models: {[path.name for path in paths]}")
        path = paths[0]
    try:
        return torch.jit.load(str(path), map_location="cpu")
    except RuntimeError as error:
        raise ModelLoadError(f"Failed to load {path}. Please ensure model is saved using torchscript.") from error


def tensor(body: str | bytes, content_type: str) -> Any:  # Any: a tensor of PyTorch
    """Texts become 32-bit floats; npy keeps its type, which has to be the model's."""
    torch = importlib.import_module("torch")
    return (
        torch.FloatTensor(decoder.decode(body, content_type))
        if content_type in TEXTS
        else torch.from_numpy(decode(body, content_type))
    )


def call_model(data: Any, model: Any) -> Any:  # Any: a tensor of PyTorch
    """In evaluation mode, whatever mode ``model_fn`` left the model in."""
    torch = importlib.import_module("torch")
    model = model.to("cpu").eval()
    with torch.no_grad():
        return model(data.to("cpu"))


def encode_accepted(prediction: object, accept: str) -> bytes:
    """In the first type of a list of accepted ones that can be encoded."""
    plain = prediction.detach().cpu().numpy().tolist() if hasattr(prediction, "detach") else prediction
    for content_type in parse_accept(accept):
        if content_type in encoder.SUPPORTED_CONTENT_TYPES:
            encoded = encoder.encode(plain, content_type)
            return encoded.encode() if isinstance(encoded, str) else encoded
    raise UnsupportedFormatError(accept)
