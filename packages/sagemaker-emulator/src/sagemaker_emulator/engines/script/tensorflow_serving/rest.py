"""TensorFlow Serving's REST API over loaded models: ``/v1/models/<name>[/versions/<version>]:<method>``."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from sagemaker_emulator.engines.script.tensorflow_serving.examples import Features, InvalidExamples, read_examples

DEFAULT_SIGNATURE = "serving_default"
PREDICT = "tensorflow/serving/predict"
_CLASSIFY = "tensorflow/serving/classify"
_REGRESS = "tensorflow/serving/regress"

Array = NDArray[np.generic]


class ServingError(Exception):
    """An answer ``{"error": …}`` with an HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Signature:
    """A function of a SavedModel: the types of its inputs (object is text), what runs it, and the API that it was saved for.

    A ValueError of ``run`` is the request's fault.
    """

    inputs: Mapping[str, np.dtype[np.generic]]
    run: Callable[[Mapping[str, Array]], Mapping[str, Array]]
    method: str = PREDICT


@dataclass(frozen=True)
class Servable:
    """One version of a model, and what writes a ``tf.train.Example`` for it."""

    signatures: Mapping[str, Signature]
    serialized: Callable[[Features], bytes]


class Models:
    """Everything that is served: by name, and by version."""

    def __init__(self, servables: Mapping[str, Mapping[int, Servable]]) -> None:
        self._servables = servables

    def answer(self, name: str, version: str | None, method: str, body: str) -> bytes:
        """The answer's JSON; raises :class:`ServingError`."""
        servable = self.find(name, version)
        answers = {"predict": _predict, "classify": _classify, "regress": _regress}
        if method not in answers:
            raise ServingError(400, f"Malformed request: POST /v1/models/{name}:{method}")
        return json.dumps(answers[method](servable, _parsed(body)), separators=(", ", ": ")).encode()

    def find(self, name: str, version: str | None) -> Servable:
        """The version that is asked for, or the newest."""
        versions = self._servables.get(name, {})
        wanted = int(version) if version and version.isdigit() else max(versions, default=0)
        if wanted not in versions:
            asked = f"Specific({name}, {version})" if version else f"Latest({name})"
            raise ServingError(404, f"Servable not found for request: {asked}")
        return versions[wanted]

    def status(self, name: str) -> bytes:
        """As GET of the model answers."""
        self.find(name, None)
        status = {"error_code": "OK", "error_message": ""}
        versions = [
            {"version": str(version), "state": "AVAILABLE", "status": status}
            for version in sorted(self._servables[name], reverse=True)
        ]
        return json.dumps({"model_version_status": versions}).encode()


def _parsed(body: str) -> dict[str, object]:
    try:
        request = json.loads(body)
    except ValueError as error:
        raise ServingError(400, f"JSON Parse error: {error}") from error
    if not isinstance(request, dict):
        raise ServingError(400, "Request is not a JSON object")
    return request


def _predict(servable: Servable, request: Mapping[str, object]) -> dict[str, object]:
    if ("instances" in request) == ("inputs" in request):
        both = "Not all of" if "instances" in request else "Missing"
        raise ServingError(400, f"{both} 'inputs' or 'instances' key")
    name = str(request.get("signature_name", DEFAULT_SIGNATURE))
    signature = servable.signatures.get(name)
    if signature is None:
        raise ServingError(400, f'Serving signature name: "{name}" not found in signature def')
    by_row = "instances" in request
    given = _rows(request["instances"], signature) if by_row else _columns(request["inputs"], signature)
    tensors = {key: _tensor(value, signature.inputs[key]) for key, value in given.items()}
    if by_row:
        _check_batch(tensors)
    outputs = _run(signature, tensors)
    plain = {key: _plain(value) for key, value in outputs.items()}
    if not by_row:
        return {"outputs": next(iter(plain.values())) if len(plain) == 1 else plain}
    rows = next(iter(plain.values()))
    if len(plain) > 1:
        count = len(next(iter(outputs.values())))
        rows = [{key: value[index] for key, value in plain.items() if isinstance(value, list)} for index in range(count)]
    return {"predictions": rows}


def _classify(servable: Servable, request: Mapping[str, object]) -> dict[str, object]:
    """A label, which may be empty, and a score for each class of each example."""
    count, outputs = _run_on_examples(servable, request, "classification", _CLASSIFY)
    tensors = [outputs[name] for name in ("classes", "scores") if name in outputs]
    if not tensors or len(tensors) < len(outputs):
        raise ServingError(400, 'Expected classification signature outputs to contain at least one of "classes" or "scores".')
    for tensor in tensors:
        if tensor.ndim != 2:
            raise ServingError(400, f"Expected Tensor shape: [batch_size num_classes] but got {list(tensor.shape)}")
        if tensor.shape != (count, tensors[0].shape[1]):
            raise ServingError(400, f"Expected classes and scores of {count} examples. Got: {[each.shape for each in tensors]}")
    shape = tensors[0].shape
    labels = outputs.get("classes", np.full(shape, b"", dtype=object))
    scores = outputs.get("scores", np.zeros(shape, dtype=np.float32))
    rows = zip(labels, scores, strict=True)
    return {"results": [[[_text(label), float(str(score))] for label, score in zip(*row, strict=True)] for row in rows]}


def _regress(servable: Servable, request: Mapping[str, object]) -> dict[str, object]:
    """A number for each example."""
    count, outputs = _run_on_examples(servable, request, "regression", _REGRESS)
    if list(outputs) != ["outputs"]:
        raise ServingError(400, f"No regression outputs found in SignatureDef: {', '.join(sorted(outputs))}")
    values = outputs["outputs"]
    if values.shape not in ((count,), (count, 1)):
        raise ServingError(
            400, f"Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got {list(values.shape)}"
        )
    return {"results": _plain(values.reshape(count))}


def _run_on_examples(
    servable: Servable, request: Mapping[str, object], kind: str, method: str
) -> tuple[int, Mapping[str, Array]]:
    """How many examples there are, and what a signature of that kind makes of them."""
    try:
        examples = read_examples(request)
    except InvalidExamples as error:
        raise ServingError(400, str(error)) from error
    name = str(request.get("signature_name", DEFAULT_SIGNATURE))
    signature = servable.signatures.get(name)
    if signature is None:
        raise ServingError(400, f"No signature was found with the name: {name}")
    if signature.method != method:
        raise ServingError(400, f"Expected {kind} signature method_name to be {method}. Was: {signature.method}")
    if list(signature.inputs) != ["inputs"]:
        raise ServingError(400, f"No {kind} inputs found in SignatureDef: {', '.join(sorted(signature.inputs))}")
    serialized = [servable.serialized(example) for example in examples]
    return len(examples), _run(signature, {"inputs": np.array(serialized, dtype=object)})


def _run(signature: Signature, tensors: Mapping[str, Array]) -> Mapping[str, Array]:
    try:
        return signature.run(tensors)
    except ValueError as error:
        raise ServingError(400, str(error)) from error


def _rows(instances: object, signature: Signature) -> dict[str, object]:
    """The values of each input, from one object for each row, or one value if there is one input."""
    if not isinstance(instances, list):
        raise ServingError(400, f"Excepting 'instances' to be an list/array, but got {_kind(instances)}")
    if not instances:
        raise ServingError(400, "No values in 'instances' list")
    if not all(_is_named(instance) for instance in instances):
        return {_only_input(signature): instances}
    values: dict[str, object] = {}
    for name in signature.inputs:
        for index, instance in enumerate(instances):
            if name not in instance:
                raise ServingError(
                    400,
                    f"Failed to process element: {index} of 'instances' list. Error: INVALID_ARGUMENT: JSON object: does not "
                    f"have named input: {name}",
                )
        values[name] = [instance[name] for instance in instances]
    _check_names(instances[0], signature)
    return values


def _columns(inputs: object, signature: Signature) -> dict[str, object]:
    if not _is_named(inputs):
        return {_only_input(signature): inputs}
    _check_names(inputs, signature)
    missing = [name for name in signature.inputs if name not in inputs]
    if missing:
        raise ServingError(400, f"Missing named input: {missing[0]} in 'inputs' object.")
    return dict(inputs)


def _only_input(signature: Signature) -> str:
    if len(signature.inputs) != 1:
        raise ServingError(
            400,
            f"Request needs an object with the inputs {', '.join(sorted(signature.inputs))}: the signature has no single input",
        )
    return next(iter(signature.inputs))


def _check_names(given: Mapping[str, object], signature: Signature) -> None:
    unknown = [name for name in given if name not in signature.inputs]
    if unknown:
        raise ServingError(
            400,
            f"JSON object: {unknown[0]} is not an input of the signature, which are: {', '.join(sorted(signature.inputs))}.",
        )


def _check_batch(tensors: Mapping[str, Array]) -> None:
    if len({len(tensor) for tensor in tensors.values()}) > 1:
        raise ServingError(400, "Inputs must have the same number of rows")


def _is_named(value: object) -> TypeGuard[Mapping[str, object]]:
    """An object of named inputs; ``{"b64": …}`` is a value."""
    return isinstance(value, dict) and set(value) != {"b64"}


def _tensor(value: object, dtype: np.dtype[np.generic]) -> Array:
    try:
        array = np.array(_decoded(value), dtype=object if dtype.kind == "O" else None)
    except ValueError as error:
        raise ServingError(400, f"Failed to process 'instances' or 'inputs': lists of different lengths. {error}") from error
    if dtype.kind == "O":
        return array
    if array.dtype.kind not in "biuf":
        raise ServingError(400, f"JSON Value: {json.dumps(value)[:100]} is not of expected type: {_type_name(dtype)}")
    if dtype.kind in "iu" and array.dtype.kind == "f":
        raise ServingError(
            400, f"JSON Value: {json.dumps(value)[:100]} Type: Number is not of expected type: {_type_name(dtype)}"
        )
    return array.astype(dtype)


def _decoded(value: object) -> object:
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    if isinstance(value, dict) and set(value) == {"b64"}:
        try:
            return base64.b64decode(str(value["b64"]), validate=True)
        except binascii.Error as error:
            raise ServingError(400, f"Unable to base64 decode: {error}") from error
    return value.encode() if isinstance(value, str) else value


def _plain(value: Array) -> object:
    """A tensor as JSON has it: floats with as many digits as their type has, bytes as text."""
    if value.dtype == np.float32:
        # Their shortest form: 0.1, not 0.10000000149011612.
        shortest = np.array([float(str(item)) for item in value.ravel()], dtype=np.float64)
        return shortest.reshape(value.shape).tolist()
    if value.dtype.kind == "O":
        texts = np.array([_text(item) for item in value.ravel()], dtype=object)
        return texts.reshape(value.shape).tolist()
    return value.tolist()


def _text(value: object) -> object:
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(value).decode()}


def _kind(value: object) -> str:
    return {str: "string", dict: "object", bool: "bool", type(None): "null"}.get(type(value), "number")


def _type_name(dtype: np.dtype[np.generic]) -> str:
    return {"float32": "float", "float64": "double"}.get(dtype.name, dtype.name)
