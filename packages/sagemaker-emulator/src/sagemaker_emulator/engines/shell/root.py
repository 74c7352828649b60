"""Where a program finds the directory that stands for ``/opt/ml``."""

from __future__ import annotations

from pathlib import Path

OPT_ML = Path("/opt/ml")


def as_seen(root: Path) -> Path:
    """``/opt/ml`` where the machine has mount namespaces, so that it is the same directory; or else the directory itself."""
    try:
        return OPT_ML if OPT_ML.samefile(root) else root
    except OSError:
        return root
