"""``python -m tests.workflow.impatient SCRIPT [ARGUMENT...]``: run a script that waits as the SDK does, but not as long.

The SageMaker SDK looks every 10 or 30 seconds how a job or an endpoint is doing, which here takes seconds. Nothing else changes.
"""

from __future__ import annotations

import runpy
import sys
import time
from pathlib import Path

_MOST_SECONDS = 1.0
_sleep = time.sleep


def main() -> None:
    time.sleep = lambda seconds: _sleep(min(float(seconds), _MOST_SECONDS))
    script = Path(sys.argv[1]).resolve()
    sys.argv = [str(script), *sys.argv[2:]]
    sys.path.insert(0, str(script.parent))
    runpy.run_path(str(script), run_name="__main__")


if __name__ == "__main__":
    main()
