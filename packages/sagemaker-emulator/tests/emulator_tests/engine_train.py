"""A training program that does what its hyperparameter ``do`` says, in no time: the life of a job does not depend on XGBoost."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from pathlib import Path

from sagemaker_emulator.children import end_with_the_service


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    root = parser.parse_args().root
    end_with_the_service()
    hyperparameters = json.loads((root / "input" / "config" / "hyperparameters.json").read_text())
    do = hyperparameters["do"]

    def save(*_: object) -> None:
        (root / "model" / "model.txt").write_text("saved")
        sys.exit(0)

    if do == "save-at-the-end":
        signal.signal(signal.SIGTERM, save)
    sys.stdout.write("ready\n")
    if do == "fail":
        (root / "output" / "failure").write_text("it was told to")
        sys.exit(1)
    if do == "leave-no-model":
        sys.exit(0)
    if do in ("wait", "save-at-the-end"):
        time.sleep(600)
    (root / "output" / "data" / "report.txt").write_text("rows")
    if do == "score":  # what the hyperparameter says, three times; a score of 9 or more never comes to an end
        sys.stdout.write(f"score={hyperparameters['x']}\n" * 3)
        time.sleep(600 if float(hyperparameters["x"]) >= 9 else 0)
    elif do != "silent":
        sys.stdout.write("score=0.5\n")
    save()


main()
