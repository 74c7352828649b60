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

DEFAULT_SIGNATURE = "serving_default"

Array = NDArray[np.generic]


class ServingError(Exception):
    """An answer ``{"error": …}`` with an HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Signature:
    """A function of a SavedModel: the types of its inputs (object is text), and what runs it.

    A ValueError of ``run`` is the request's fault.
    """

    inputs: Mapping[str, np.dtype[np.generic]]
    run: Callable[[Mapping[str, Array]], Mapping[str, Array]]


@dataclass(frozen=True)
class Servable:
    """One version of a model."""

    signatures: Mapping[str, Signature]


class Models:
    """Everything that is served: by name, and by version."""

    def __init__(self, servables: Mapping[str, Mapping[int, Servable]]) -> None:
        self._servables = servables

    def answer(self, name: str, version: str | None, method: str, body: str) -> bytes:
        """The answer's JSON; raises :class:`ServingError`."""
        servable = self.find(name, version)
        if method in ("classify", "regress"):
            raise ServingError(
                400, f"Expected signature method_name to be tensorflow/serving/{method}. Was: tensorflow/serving/predict"
            )
        if method != "predict":
            raise ServingError(400, f"Malformed request: POST /v1/models/{name}:{method}")
        return json.dumps(_predict(servable, _parsed(body)), separators=(", ", ": ")).encode()

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
    if ("instances" in request) == ("inputs" in request):
        both = "Not all of" if "instances" in request else "Missing"
        raise ServingError(400, f"{both} 'inputs' or 'instances' key")
    return request


def _predict(servable: Servable, request: Mapping[str, object]) -> dict[str, object]:
    name = str(request.get("signature_name", DEFAULT_SIGNATURE))
    signature = servable.signatures.get(name)
    if signature is None:
        raise ServingError(400, f'Serving signature name: "{name}" not found in signature def')
    by_row = "instances" in request
    given = _rows(request["instances"], signature) if by_row else _columns(request["inputs"], signature)
    tensors = {key: _tensor(value, signature.inputs[key]) for key, value in given.items()}
    if by_row:
        _check_batch(tensors)
    try:
        outputs = signature.run(tensors)
    except ValueError as error:
        raise ServingError(400, str(error)) from error
    plain = {key: _plain(value) for key, value in outputs.items()}
    if not by_row:
        return {"outputs": next(iter(plain.values())) if len(plain) == 1 else plain}
    rows = next(iter(plain.values()))
    if len(plain) > 1:
        count = len(next(iter(outputs.values())))
        rows = [{key: value[index] for key, value in plain.items() if isinstance(value, list)} for index in range(count)]
    return {"predictions": rows}


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
