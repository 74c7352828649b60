"""Layers that are unpacked once, for all environments of all functions.

MiniStack 1.5.33 unpacks a function's layers for each of its environments: 64 MB of the layer here, and Python compiles it each
time. Lambda has them in ``/opt`` before an environment starts.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import threading
import zipfile
from pathlib import Path

from ministack.core.lambda_runtime import Worker
from ministack.services import lambda_svc

_UNPACKING = threading.Lock()


def install() -> None:
    """Have MiniStack's Python environments share their layers."""
    spawn_with_copies = Worker._spawn

    def spawn(worker: Worker) -> None:
        config = worker.config
        folders = [unpacked(content) for layer in config.get("Layers", []) if (content := lambda_svc._resolve_layer_zip(layer))]
        variables = config.get("Environment", {}).get("Variables", {})
        shared = {
            **variables,
            # What the worker's own script reads its search path from.
            "_LAMBDA_LAYERS_DIRS": os.pathsep.join(map(str, folders)),
            # What is compiled is compiled for all, whatever the user's shell says.
            "PYTHONDONTWRITEBYTECODE": "",
        }
        worker.config = {**config, "Layers": [], "Environment": {"Variables": shared}}
        try:
            spawn_with_copies(worker)
        finally:
            worker.config = config

    Worker._spawn = spawn


def unpacked(content: bytes) -> Path:
    """The folder with the files of a layer's archive, which is made the first time."""
    folder = Path(tempfile.gettempdir()) / "layers" / hashlib.sha256(content).hexdigest()[:16]
    with _UNPACKING:
        if not folder.exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            half = Path(tempfile.mkdtemp(dir=folder.parent))
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                archive.extractall(half)
            half.rename(folder)
    return folder
