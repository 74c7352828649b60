"""Reads a channel's files into a DMatrix."""

from __future__ import annotations

import csv
import logging
import os
import tempfile
from pathlib import Path

from sagemaker_emulator.engines.xgboost import recordio
from sagemaker_emulator.engines.xgboost.channels import CSV, LIBSVM, PARQUET
from sagemaker_emulator.engines.xgboost.failures import UserError
from sagemaker_emulator.engines.xgboost.library import xgboost

logger = logging.getLogger(__name__)

_DEPTH = 3


def data_files(directory: Path) -> list[Path]:
    """The files of a channel: of its directory and of two more below it."""
    files = []
    for folder, _, names in os.walk(directory):
        if any(name.startswith(".") for name in names):
            raise UserError("Hidden file found in the data path! Remove that before training.")
        if len(Path(folder).relative_to(directory).parts) < _DEPTH:
            files += [Path(folder) / name for name in names]
    return sorted(files)


def read_matrix(directory: Path, file_format: str, *, weights: bool) -> xgboost.DMatrix | None:
    """The channel as a matrix with labels (and, for CSV with ``weights``, weights from the second column); None when empty."""
    files = data_files(directory)
    # Names that start with `_` are no data where the container looks at them; XGBoost's own reader does not ask.
    named = [path for path in files if not path.name.startswith("_")]
    if not any(path.stat().st_size for path in files):
        return None
    if file_format == PARQUET:
        raise UserError("The local SageMaker service does not read parquet: use text/csv or application/x-recordio-protobuf.")
    try:
        if file_format == CSV:
            for path in named:
                delimiter(path)
            return _read_text(files, f"format=csv&label_column=0&delimiter={delimiter(files[0])}{'&weight_column=1' * weights}")
        if file_format == LIBSVM:
            _check_libsvm(named)
            return _read_text(files, "format=libsvm")
        return recordio.training_matrix(named) if named else None
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"Failed to load {file_format} data with exception:\n{error}") from error


def delimiter(path: Path) -> str:
    """The delimiter of a CSV file, from its first line; UserError where there is none, as in an empty file."""
    with path.open(errors="ignore") as file:
        line = file.readline()
    try:
        found = csv.Sniffer().sniff(line).delimiter
    except csv.Error as error:
        raise UserError(f"Could not determine delimiter on line {line[:50]}:\n{error}") from error
    logger.info("Determined delimiter of CSV input is '%s'", found)
    return found


def _read_text(files: list[Path], query: str) -> xgboost.DMatrix:
    """XGBoost's own reader, over links to the files, in the order of their names.

    The container gives it one directory, whose files it reads in the order in which the file system lists them: the model would
    be another one from machine to machine.
    """
    with tempfile.TemporaryDirectory() as scratch, xgboost.config_context(verbosity=0):
        # The reader looks at everything beside a file, and fails when any of it goes away meanwhile: nothing may be there.
        links = [Path(scratch) / f"{number:06d}" / "data" for number in range(len(files))]
        for link, path in zip(links, files, strict=True):
            link.parent.mkdir()
            link.symlink_to(path.resolve())
        return xgboost.DMatrix(f"{';'.join(map(str, links))}?{query}")


def _check_libsvm(files: list[Path]) -> None:
    """The container's look at each file, down to the first line of several cells."""
    for path in files:
        with path.open(errors="ignore") as file:
            for line in file:
                label, *pairs = line.split(" ")
                parts = label.split(":")
                well_formed = len(parts) <= 2 and all(map(_is_number, parts)) and all(":" in pair for pair in pairs)
                if not well_formed or (pairs and pairs[0].count(":") != 1):
                    raise UserError(
                        f"First line '{line[:50]}...' of file '{path.name}' is not 'LIBSVM' format. "
                        "Please ensure the file is in 'LIBSVM' format."
                    )
                if len(pairs) > 1:
                    break


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
