"""SavedModels in a model's directory, and how TensorFlow runs them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sagemaker_emulator.engines.script.frameworks import TENSORFLOW
from sagemaker_emulator.engines.script.tensorflow_serving.examples import Features
from sagemaker_emulator.engines.script.tensorflow_serving.rest import PREDICT, Array, Servable, Signature
from sagemaker_emulator.engines.shell.serving import CannotLoad


def find_models(model_dir: Path) -> dict[str, dict[int, Path]]:
    """``<version>/saved_model.pb`` anywhere below ``model_dir``: a model is named by the folder of its versions."""
    found: dict[str, dict[int, Path]] = {}
    for path in sorted(model_dir.rglob("saved_model.pb")):
        version = path.parent
        if version.name.isdigit() and version != model_dir:
            found.setdefault(version.parent.name, {})[int(version.name)] = version
    return found


def load(model_dir: Path) -> dict[str, dict[int, Servable]]:
    """All models of the directory; raises CannotLoad."""
    found = find_models(model_dir)
    if not found:
        raise CannotLoad(
            "no SavedModel bundles found! The archive must have saved_model.pb in a folder whose name is a number, such as "
            "1/saved_model.pb."
        )
    if not TENSORFLOW.is_installed:
        raise CannotLoad(TENSORFLOW.missing)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return {name: {version: _servable(path) for version, path in versions.items()} for name, versions in found.items()}


def _servable(path: Path) -> Servable:
    import tensorflow as tf  # noqa: PLC0415  # half a gigabyte that only this process needs

    try:
        loaded = tf.saved_model.load(str(path))
    except Exception as error:  # TensorFlow has many kinds
        raise CannotLoad(f"The SavedModel in {path.name}/ can not be loaded: {error}") from error
    methods = _methods(path)
    signatures = {
        name: _signature(tf, function, loaded, methods.get(name, PREDICT)) for name, function in loaded.signatures.items()
    }
    return Servable(signatures, lambda features: _example(tf, features))


def _example(tf: Any, features: Features) -> bytes:  # Any: the tensorflow module has no types
    example = tf.train.Example()
    for name, (kind, values) in features.items():
        getattr(example.features.feature[name], f"{kind}_list").value.extend(values)
    serialized: bytes = example.SerializeToString()
    return serialized


def _methods(path: Path) -> dict[str, str]:
    """The API that each signature was saved for, which what TensorFlow loads (the graph tagged ``serve``) does not tell."""
    from tensorflow.core.protobuf import saved_model_pb2  # noqa: PLC0415  # half a gigabyte that only this process needs

    saved = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    graphs = [graph for graph in saved.meta_graphs if "serve" in graph.meta_info_def.tags] or saved.meta_graphs
    return {name: definition.method_name for name, definition in graphs[0].signature_def.items()}


def _signature(tf: Any, function: Any, owner: object, method: str) -> Signature:  # Any: the tensorflow module has no types
    _, specs = function.structured_input_signature
    text = np.dtype(object)
    inputs = {name: text if spec.dtype == tf.string else np.dtype(spec.dtype.as_numpy_dtype) for name, spec in specs.items()}
    return Signature(inputs, SavedFunction(tf, function, owner), method)


class SavedFunction:
    """Runs a signature. It does not keep alive the variables that it reads: ``owner``, the loaded model, does."""

    def __init__(self, tf: Any, function: Any, owner: object) -> None:  # Any: the tensorflow module has no types
        self._tf = tf
        self._function = function
        self._dtypes = {name: spec.dtype for name, spec in function.structured_input_signature[1].items()}
        self._owner = owner

    def __call__(self, tensors: Mapping[str, Array]) -> Mapping[str, Array]:
        tf = self._tf
        given = {name: tf.constant(value, dtype=self._dtypes[name]) for name, value in tensors.items()}
        try:
            outputs = self._function(**given)
        except (tf.errors.OpError, ValueError, TypeError) as error:
            message = error.message if isinstance(error, tf.errors.OpError) else str(error)
            raise ValueError(message.removeprefix("Graph execution error:\n").strip()) from error
        return {name: value.numpy() for name, value in outputs.items()}
