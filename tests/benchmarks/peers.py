"""What Sageline is compared with, as far as it is installed (dependency group ``bench``)."""

from __future__ import annotations

import importlib
import logging
import os
import warnings
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = (
    "numpy",
    "scikit-learn",
    "keras-preprocessing",
    "lenlp",
    "sagemaker",
    "protobuf",
    "pandas",
    "polars",
    "pyarrow",
    "moto",
)
"""Distributions whose versions the numbers depend on."""


def peer(module: str) -> Any:  # Any: the peers have no type information, or are not installed where types are checked
    """The module, or None where it is not installed."""
    os.environ.setdefault("SAGEMAKER_SUPPRESS_V2_WARNING", "1")
    # Sageline has one thread too. These are read once, when the first of these packages starts its threads.
    os.environ.setdefault("RAYON_NUM_THREADS", "1")
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    logging.getLogger("sagemaker.config").setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(module)
    except ImportError:
        return None


def installed_versions() -> dict[str, str]:
    """Version of each of :data:`PACKAGES` that is installed."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions
