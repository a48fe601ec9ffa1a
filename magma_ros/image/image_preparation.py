"""Turns a camera picture into exactly what Magma sees; the same functions train, export and run.

Robot pictures take two resizes, and their order and filters matter (facts of Magma's SimplerEnv
policy): PIL bicubic to 256 x 256, then bilinear without antialiasing to the canvas. Other pictures
(questions) go to the canvas directly.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from magma_ros.errors import CameraError
from magma_ros.image.bicubic import resize_bicubic

Float32Array = NDArray[np.float32]
Rgb = tuple[float, float, float]


class PreparationSettings(Protocol):
    """What the preparation needs to know; ``model.magma_config.PreprocessorConfig`` has it."""

    @property
    def robot_size_px(self) -> int | None:
        """Side of the square the picture is resized to first; none: straight to the canvas."""

    @property
    def base_img_size(self) -> int:
        """Side of one crop in pixels."""

    @property
    def mean(self) -> Rgb:
        """Mean of each colour in 0..1."""

    @property
    def std(self) -> Rgb:
        """Standard deviation of each colour in 0..1."""

    def grid(self, width_px: int, height_px: int) -> tuple[int, int]:
        """Rows and columns of crops that a picture of this size is prepared to."""


def prepare_image(
    rgb: NDArray[np.uint8], settings: PreparationSettings, out: Float32Array | None = None
) -> Float32Array:
    """Picture -> crops for the vision tower, (n, 3, base, base), row by row.

    ``settings.grid(width, height)`` says which rows and columns they form. This is Magma's image
    processor: resize robot pictures, normalise, stretch to the canvas of the grid, cut. Equal to
    it to 1e-6 on canvases whose sides are powers of two; to 5e-4 (a thirtieth of a grey level) on
    those three crops long, where torch rounds its positions to single precision.

    Args:
        rgb: (height, width, 3) uint8, any size.
        settings: the preprocessor section of the model's configuration.
        out: where to put them, if they are one crop: its last ``prepare_image`` is over. Fresh
            memory costs a fifth of the time.

    Raises:
        CameraError: the picture is not RGB uint8.
        ValueError: ``out`` has another shape or type than the crops.
    """
    check_rgb(rgb)
    base = settings.base_img_size
    rows, columns = settings.grid(width_px=rgb.shape[1], height_px=rgb.shape[0])
    if settings.robot_size_px is not None:
        rgb = resize_for_robot(rgb, settings.robot_size_px)
    canvas = _canvas(rows * base, columns * base, out)
    table = normalisation_table(settings.mean, settings.std)
    for plane, values, target in zip(cv2.split(rgb), table, canvas, strict=True):
        stretch_bilinear(np.asarray(cv2.LUT(plane, values), np.float32), target)
    crops = canvas.reshape(3, rows, base, columns, base).transpose(1, 3, 0, 2, 4)
    return np.ascontiguousarray(crops.reshape(rows * columns, 3, base, base))


def _canvas(height: int, width: int, out: Float32Array | None) -> Float32Array:
    if out is None:
        return np.empty((3, height, width), np.float32)
    if out.shape != (1, 3, height, width) or out.dtype != np.float32:
        raise ValueError(f'out has shape {out.shape}, but (1, 3, {height}, {width}) is needed')
    return out[0]


def resize_for_robot(rgb: NDArray[np.uint8], size_px: int = 256) -> NDArray[np.uint8]:
    """(height, width, 3) -> (size, size, 3) by PIL bicubic, aspect not kept: Magma's robot rule.

    Raises:
        CameraError: the picture is not RGB uint8.
    """
    check_rgb(rgb)
    if rgb.shape[:2] == (size_px, size_px):
        return rgb
    return resize_bicubic(rgb, size_px)


@lru_cache(maxsize=8)
def normalisation_table(mean: Rgb, std: Rgb) -> Float32Array:
    """(3, 256): what each byte of each colour becomes, of about zero mean and unit variance."""
    grey = np.arange(256, dtype=np.float32) / np.float32(255.0)
    centred = grey - np.array(mean, dtype=np.float32)[:, None]
    table = centred / np.array(std, dtype=np.float32)[:, None]
    table.flags.writeable = False  # shared by all callers
    return table


def stretch_bilinear(plane: Float32Array, target: Float32Array) -> None:
    """(h, w) -> all of ``target`` like torch's bilinear ``interpolate``, without antialiasing."""
    if plane.shape == target.shape:
        np.copyto(target, plane)
        return
    height, width = target.shape
    cv2.resize(plane, (width, height), dst=target, interpolation=cv2.INTER_LINEAR)


def check_rgb(rgb: NDArray[np.uint8]) -> None:
    """Raises CameraError unless the picture is (height, width, 3) uint8 and not empty."""
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or rgb.size == 0:
        raise CameraError(
            f'picture has shape {rgb.shape} and type {rgb.dtype}, but must be (height, width, 3) '
            'uint8 RGB: set the camera to rgb8 (or bgr8, which the camera topic reader converts)'
        )
