"""Why Sageline loses where it does, for people: each found by an experiment that is named, and written down here."""

from __future__ import annotations

from collections.abc import Mapping

WHY: Mapping[str, str] = {}
"""By dataset."""

NOT_KNOWN = "Not looked into yet."
BY_CHANCE = "Within two standard errors: these test rows do not tell which one is better."
