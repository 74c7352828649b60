"""An image without the program that it is started with: TensorFlow's training image does not serve, nor the other way round."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

# What a container's runtime exits with.
NOT_FOUND = 127


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--socket", type=int)
    arguments = parser.parse_args()
    program = "train" if arguments.socket is None else "serve"
    text = f'exec: "{program}": executable file not found in $PATH'
    failure = arguments.root / ("output/failure" if program == "train" else "failure")
    failure.parent.mkdir(exist_ok=True)
    failure.write_text(f"{text}. Images are for training or for inference, as their names say.")
    sys.stderr.write(f"{text}\n")
    sys.exit(NOT_FOUND)


if __name__ == "__main__":
    main()
