"""XGBoost, imported without scikit-learn.

XGBoost imports scikit-learn when it is there, for wrappers that nothing here uses, and that takes 1.5 of 2.3 seconds. A None
in ``sys.modules`` is how the import system is told that a module is absent; it is taken back right after.
"""

from __future__ import annotations

import sys

_absent = "sklearn" not in sys.modules
if _absent:
    sys.modules["sklearn"] = None  # type: ignore[assignment]  # None is documented, the stub does not know it
import xgboost  # noqa: E402  # between these lines, which is the point

if _absent:
    del sys.modules["sklearn"]

__all__ = ["xgboost"]
