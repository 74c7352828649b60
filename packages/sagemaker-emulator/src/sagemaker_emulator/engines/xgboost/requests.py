"""Request bodies of ``/invocations`` into a DMatrix."""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from sagemaker_emulator.engines.xgboost import recordio
from sagemaker_emulator.engines.xgboost.channels import CSV, LIBSVM, RECORDIO, request_format
from sagemaker_emulator.engines.xgboost.library import xgboost
from sagemaker_emulator.engines.xgboost.versions import NEWEST, Version


class UndecodableRequest(Exception):
    """The body is not what its content type says, or the type is not taken: the container answers 415."""


def decode(body: bytes, content_type: str | None, version: Version = NEWEST) -> xgboost.DMatrix:
    """The rows of a request; raises :class:`UndecodableRequest` in the container's words."""
    try:
        file_format = request_format(content_type, version)
    except Exception as error:
        raise UndecodableRequest(str(error)) from error
    libsvm = partial(_libsvm, shifts=version.shifts_libsvm)
    decoders: dict[str, Callable[[bytes], xgboost.DMatrix]] = {CSV: _csv, LIBSVM: libsvm, RECORDIO: recordio.request_matrix}
    decoder = decoders.get(file_format)
    if decoder is None:
        raise UndecodableRequest(f"Content-type {content_type} is not supported.")
    try:
        return decoder(body)
    except Exception as error:  # whatever a decoder trips over, the body is at fault
        raise UndecodableRequest(
            f"Loading {file_format} data failed with Exception, please ensure data is in {file_format} format:\n "
            f"{type(error)}\n {error}"
        ) from error


def _csv(body: bytes) -> xgboost.DMatrix:
    text = body.strip().decode("utf-8")
    lines = text.split("\n")
    return xgboost.DMatrix(_numbers(lines, _delimiter(lines[0])))


def _delimiter(line: str) -> str:
    """What the line is guessed to be separated by; csv.Error where nothing is found."""
    found = csv.Sniffer().sniff(line[:512]).delimiter
    return "," if found.isalnum() else found


def _numbers(lines: list[str], delimiter: str) -> NDArray[np.float64]:
    """A row per line; an empty cell is missing, and one of blanks is no number."""
    cells = [[cell or "nan" for cell in line.split(delimiter)] for line in lines]
    return np.array(cells).astype(np.float64)


def _libsvm(body: bytes, *, shifts: bool) -> xgboost.DMatrix:
    rows, columns, values = [], [], []
    lines = body.strip().decode("utf-8").split("\n")
    for row, line in enumerate(lines):
        for item in line.split(" "):
            if ":" in item:
                column, value, *_ = item.split(":")
                rows.append(row)
                columns.append(int(column))
                values.append(float(value))
    shift = 1 if shifts and columns and min(columns) >= 1 else 0
    # The rows go up to the last one that has a cell, as in the container.
    return xgboost.DMatrix(csr_matrix((values, (rows, np.array(columns, dtype=np.int64) - shift))))
