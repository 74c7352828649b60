"""Runs the script that ``SAGELINE_ENTRY_POINT`` names, and leaves its code in the ``code`` folder of the model.

PyTorch's serving container finds ``model_fn`` there and nowhere else: unlike scikit-learn's it fetches no archive from S3
(https://github.com/aws/sagemaker-inference-toolkit/issues/136).
"""

from __future__ import annotations

import json
import os
import runpy
import shutil
import sys
from pathlib import Path


def run(script: str) -> None:
    """The script in this process, as if Python had been started with it; raises what it raises."""
    sys.argv[0] = script
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as ended:
        if ended.code not in (None, 0):
            raise


def leave_code(source: Path, model: Path) -> None:
    """Beside a model only: a script that leaves none has failed. Code that the script has left itself stays as it is."""
    if any(model.iterdir()) and not (model / "code").exists():
        shutil.copytree(source, model / "code", ignore=shutil.ignore_patterns("__pycache__"))


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    run(str(here / os.environ["SAGELINE_ENTRY_POINT"]))
    # The hosts' models become one archive.
    if os.environ["SM_CURRENT_HOST"] == json.loads(os.environ["SM_HOSTS"])[0]:
        leave_code(here, Path(os.environ["SM_MODEL_DIR"]))
