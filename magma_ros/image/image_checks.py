"""Is this picture worth asking a model about? One at a time; ``stream_checks.py`` has streams.

What is found has the name of a reason code, which ends up in the state message.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Literal

import numpy as np

from magma_ros.data_types import CameraImage

DARK_MEAN, BRIGHT_MEAN, FLAT_STD = 5.0, 250.0, 2.0  # of 255
Code = Literal[
    'CAMERA_STALE',
    'CAMERA_FROZEN',
    'CAMERA_DARK',
    'CAMERA_FORMAT',
    'CAMERA_SLOW',
    'CAMERA_STAMP',
    'CAMERA_FRAME',
    'CAMERA_COLOURS',
    'CAMERA_MOVED',
]


class Effect(enum.Enum):
    """What a finding asks for."""

    HOLD = 'hold'  # nothing may be done because of such pictures
    SLOW = 'slow'  # go on, slower
    WARN = 'warn'  # somebody should look


@dataclass(frozen=True)
class Finding:
    """Something is wrong with a picture, or with how pictures come."""

    code: Code  # the name of a ``motion.reason_codes.Reason``
    text: str  # what was seen, what was expected, what to do
    effect: Effect = Effect.HOLD


def find_fault(image: CameraImage, size_px: tuple[int, int]) -> Finding | None:
    """What is wrong with one picture, None when nothing is.

    Args:
        image: the picture.
        size_px: expected (width, height), that of the calibration.

    Returns:
        ``CAMERA_FORMAT`` (shape, type or size) or ``CAMERA_DARK`` (black, over-exposed, or one
        flat colour).
    """
    width, height = size_px
    camera, shape = image.frame_id, image.rgb.shape
    if image.rgb.dtype != np.uint8 or shape != (height, width, 3):
        return Finding(
            'CAMERA_FORMAT',
            f'the picture of {camera} has shape {shape} {image.rgb.dtype}, its calibration is of '
            f'{width} x {height} in 8-bit RGB; set both to one size',
        )
    sample = image.rgb[::8, ::8]
    mean, spread = sample.mean(), sample.std()
    look = f'look at the camera and its light: {camera}'
    if mean < DARK_MEAN:
        return Finding('CAMERA_DARK', f'black (mean {mean:.0f} of 255); {look}')
    if mean > BRIGHT_MEAN:
        return Finding('CAMERA_DARK', f'over-exposed (mean {mean:.0f} of 255); {look}')
    if spread < FLAT_STD:
        return Finding('CAMERA_DARK', f'covered: one flat colour (spread {spread:.1f}); {look}')
    return None


def find_wrong_frame(image: CameraImage, frame_id: str) -> Finding | None:
    """``CAMERA_FRAME`` when a picture is not of the frame expected; empty: any is right."""
    if not frame_id or image.frame_id == frame_id:
        return None
    return Finding(
        'CAMERA_FRAME',
        f'the picture is of frame {image.frame_id!r}, not of {frame_id!r}; look at camera_frame '
        'and camera_namespace',
    )
