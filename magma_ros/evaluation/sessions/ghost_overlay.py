"""The reference picture of a layout laid over the live one: what is doubled has to be moved."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from magma_ros.errors import ConfigurationError, RecordingError

GHOST_SHARE = 0.5
EDGE_RGB = (255, 64, 0)
CANNY = (60.0, 160.0)  # grey levels; edges of objects, not of their texture


def overlay_ghost(
    reference_rgb: NDArray[np.uint8], live_rgb: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], float]:
    """Blend the two, with the edges of the reference drawn in.

    Args:
        reference_rgb: (height, width, 3).
        live_rgb: of the same camera, the same size.

    Returns:
        The picture, and the mean difference per pixel in grey levels (0 to 255).

    Raises:
        ConfigurationError: the sizes differ.
    """
    if reference_rgb.shape != live_rgb.shape:
        raise ConfigurationError(
            f'the reference picture is {reference_rgb.shape[1::-1]} px and the camera gives '
            f'{live_rgb.shape[1::-1]}: take the reference with this camera in this setting'
        )
    mixed = cv2.addWeighted(reference_rgb, GHOST_SHARE, live_rgb, 1 - GHOST_SHARE, 0.0)
    blended = np.asarray(mixed, np.uint8)
    edges = cv2.Canny(cv2.cvtColor(reference_rgb, cv2.COLOR_RGB2GRAY), *CANNY)
    blended[edges > 0] = EDGE_RGB
    difference = cv2.absdiff(
        cv2.cvtColor(reference_rgb, cv2.COLOR_RGB2GRAY),
        cv2.cvtColor(live_rgb, cv2.COLOR_RGB2GRAY),
    )
    return blended, float(difference.mean())


def read_reference(path: Path) -> NDArray[np.uint8]:
    """A reference picture, RGB (height, width, 3); ConfigurationError if it is none."""
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ConfigurationError(f'{path} is no picture; take it anew')
    return np.ascontiguousarray(bgr[..., ::-1], dtype=np.uint8)


def write_picture(path: Path, rgb: NDArray[np.uint8]) -> None:
    """A picture for a viewer that follows the file; RecordingError if it cannot be written."""
    part = path.with_name(f'part_{path.name}')  # a viewer must not see half of it
    if not cv2.imwrite(str(part), rgb[..., ::-1]):
        raise RecordingError(f'{part} cannot be written')
    part.replace(path)
