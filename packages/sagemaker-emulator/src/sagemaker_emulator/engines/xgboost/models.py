"""Reads a model's files: XGBoost's own formats, and pickled Boosters."""

from __future__ import annotations

import io
import pickle  # for the reader below, which makes nothing but boosters
from pathlib import Path

from sagemaker_emulator.engines.shell.serving import CannotLoad
from sagemaker_emulator.engines.xgboost.channels import LIBSVM
from sagemaker_emulator.engines.xgboost.failures import without_stack_trace
from sagemaker_emulator.engines.xgboost.library import xgboost


class PickledBooster(xgboost.Booster):
    """A model that was pickled. The container asks of requests to it whether they have its columns."""

    def check_width(self, rows: xgboost.DMatrix, file_format: str) -> None:
        """ValueError in the container's words for rows that do not go with it; one column less is the label's, left out."""
        known, given = self.num_features(), rows.num_col()
        if file_format == LIBSVM and given > known + 1:
            raise ValueError(
                f"Feature size of libsvm inference data {given} is larger than feature size of trained model {known}."
            )
        if file_format != LIBSVM and known not in (given, given + 1):
            size = f"Feature size of {file_format} inference data {given}"
            raise ValueError(f"{size} is not consistent with feature size of trained model {known}.")


# What a pickled Booster is made of, under the names that Python 2 and 3 and the versions of XGBoost give it.
_PARTS = {
    ("xgboost.core", "Booster"): PickledBooster,
    ("builtins", "bytearray"): bytearray,
    ("__builtin__", "bytearray"): bytearray,
}
_ADVICE = (
    "XGBoost {version} reads JSON and UBJSON of XGBoost, and pickles that XGBoost 1.6 or later has made. Load an older model "
    "with the version that made it, and save it by save_model('xgboost-model.json')."
)


class _Boosters(pickle.Unpickler):
    """Reads boosters and nothing else: what a pickle names besides would be run."""

    def find_class(self, module: str, name: str) -> type:
        if (module, name) not in _PARTS:
            raise pickle.UnpicklingError(f"it has {module}.{name}, which is no part of a Booster")
        return _PARTS[module, name]


def load_models(directory: Path) -> list[xgboost.Booster]:
    """Every file of the model directory is a model, but for hidden ones; several answer with their mean.

    Raises :class:`CannotLoad`.
    """
    paths = sorted(path for path in directory.iterdir() if path.is_file() and not path.name.startswith("."))
    if not paths:
        raise CannotLoad(f"No model file in {directory}: the archive must hold 'xgboost-model' at its root.")
    return [_load(path) for path in paths]


def _load(path: Path) -> xgboost.Booster:
    data = path.read_bytes()
    try:
        booster = _read(data)
    except Exception as error:  # whatever a reader trips over, the file is at fault
        advice = _ADVICE.format(version=xgboost.__version__)
        raise CannotLoad(f"Model at {path} cannot be loaded:\n{without_stack_trace(error)}\n{advice}") from error
    booster.set_param({"nthread": 1})
    return booster


def _read(data: bytes) -> xgboost.Booster:
    if data.startswith((b"\x80", b"c")):  # pickles; XGBoost's own begin with a brace
        found = _Boosters(io.BytesIO(data)).load()
        if not isinstance(found, xgboost.Booster):
            raise pickle.UnpicklingError(f"it is a {type(found).__name__}, not a Booster")
        return found
    booster = xgboost.Booster()
    booster.load_model(bytearray(data))
    return booster
