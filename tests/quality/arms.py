"""What is measured of Sageline: a spec but for the dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sageline.json_objects import Json


@dataclass(frozen=True, eq=False)
class Arm:
    """What a spec says besides the dataset and the split: nothing for what a person gets who says nothing."""

    name: str
    spec: Json = field(default_factory=dict)


PRESETS: Mapping[str, Arm] = {
    preset: Arm(preset, {"algorithm": {"name": "auto", "preset": preset}}) for preset in ("quick", "good")
}
"""The presets of ``auto`` that can be measured: ``best`` stops trials while they train, which is not done in this process."""
