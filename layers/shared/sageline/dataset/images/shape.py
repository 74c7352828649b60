"""The one shape that the images of a dataset are resized to, found out from some of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sageline.formats.image_files import Looks

MOST_NUMBERS = 4096
"""Of an image, unless the spec says its shape: what every algorithm learns from in a few minutes."""
_SIDES = (64, 48, 32, 16)


class ChosenShape(NamedTuple):
    """(height, width) in grey, or (height, width, 3), and why."""

    shape: tuple[int, ...]
    why: str


def choose_shape(looks: Sequence[Looks]) -> ChosenShape:
    """The shape that all images have, if it is small; else the largest square of 64, 48, 32 or 16 pixels a side that is no larger
    than the shorter side of most images. At most :data:`MOST_NUMBERS` numbers."""
    coloured = any(look.is_coloured for look in looks)
    channels = (3,) if coloured else ()
    depth = 3 if coloured else 1
    colours = "there are colours" if coloured else "none of them has colours"
    sizes = {(look.height, look.width) for look in looks}
    height, width = next(iter(sizes))
    if len(sizes) == 1 and height * width * depth <= MOST_NUMBERS:
        return ChosenShape(
            (height, width, *channels),
            f"all {len(looks):,} images that were looked at are {height} x {width} pixels, and {colours}",
        )
    shorter = float(np.median([min(look.height, look.width) for look in looks]))
    side = next((side for side in _SIDES if side <= shorter and side * side * depth <= MOST_NUMBERS), _SIDES[-1])
    why = (
        f"the shorter side of {len(looks):,} images that were looked at is {shorter:.0f} pixels (the median), {colours}, and an "
        f"image gets at most {MOST_NUMBERS:,} numbers unless the spec says its shape; images are stretched to it"
    )
    return ChosenShape((side, side, *channels), why)
