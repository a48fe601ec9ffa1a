"""Was the camera moved, during an episode or between two?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from magma_ros.dataset.checks.finding import Finding
from magma_ros.errors import CameraError
from magma_ros.image.view_drift import MOVED_PX, MOVED_ROLL_DEG, ReferenceView

Rgb = NDArray[np.uint8]
USUAL_WIDTH_PX = 640  # of the pictures the limit is meant for
LEAST_WIDTH_PX = 128  # smaller ones have too few features


def compare_views(reference: Rgb, picture: Rgb, since: str) -> Iterator[Finding]:
    """A flag if the view has moved ``since`` then; nothing where pictures cannot be compared."""
    width = picture.shape[1]
    if picture.shape != reference.shape or width < LEAST_WIDTH_PX:
        return
    try:
        drift = ReferenceView(reference).compare(picture, focal_px=float(width))
    except CameraError:  # a table without features, or a dark picture, which has its own check
        return
    if drift.shift_px is None or drift.roll_deg is None:
        return
    limit_px = MOVED_PX * width / USUAL_WIDTH_PX
    if drift.shift_px > limit_px or abs(drift.roll_deg) > MOVED_ROLL_DEG:
        text = (
            f'the view has moved by {drift.shift_px:.0f} of {width} px and rolled by '
            f'{drift.roll_deg:.1f} degrees since {since}'
        )
        yield Finding('view', 'flag', text)
