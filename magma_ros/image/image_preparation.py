"""Turns a camera picture into exactly what Magma sees; the same functions train, export and run.

Robot pictures take two resizes, and their order and filters matter (facts of Magma's SimplerEnv
policy): PIL bicubic to 256 x 256, then bilinear without antialiasing to the canvas. Other pictures
(questions) go to the canvas directly.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from magma_ros.errors import CameraError

Float32Array = NDArray[np.float32]


class PreparationSettings(Protocol):
    """What the preparation needs to know; ``model.magma_config.PreprocessorConfig`` has it."""

    @property
    def robot_size_px(self) -> int:
        """Side of the square every robot picture is resized to first."""

    @property
    def base_img_size(self) -> int:
        """Side of one crop in pixels."""

    @property
    def num_crops(self) -> int:
        """Largest number of crops of one picture."""

    @property
    def mean(self) -> tuple[float, float, float]:
        """Mean of each colour in 0..1."""

    @property
    def std(self) -> tuple[float, float, float]:
        """Standard deviation of each colour in 0..1."""


def prepare_image(rgb: NDArray[np.uint8], settings: PreparationSettings) -> Float32Array:
    """Robot picture -> pixels of the vision tower, (1, 3, base, base).

    Args:
        rgb: (height, width, 3) uint8, any size.
        settings: the preprocessor section of the model's configuration.

    Raises:
        CameraError: the picture is not RGB uint8.
    """
    pixels, _ = prepare_crops(resize_for_robot(rgb, settings.robot_size_px), settings)
    return pixels


def resize_for_robot(rgb: NDArray[np.uint8], size_px: int = 256) -> NDArray[np.uint8]:
    """(height, width, 3) -> (size, size, 3) by PIL bicubic, aspect not kept: Magma's robot rule.

    Raises:
        CameraError: the picture is not RGB uint8.
    """
    check_rgb(rgb)
    if rgb.shape[:2] == (size_px, size_px):
        return rgb
    resized = Image.fromarray(rgb).resize((size_px, size_px), Image.Resampling.BICUBIC)
    return np.asarray(resized, dtype=np.uint8)


def prepare_crops(
    rgb: NDArray[np.uint8], settings: PreparationSettings
) -> tuple[Float32Array, tuple[int, int]]:
    """Picture -> crops (n, 3, base, base), row by row, and the grid (rows, columns) they form.

    This is Magma's image processor with ``anyres_strategy`` "crop": normalise, stretch to the best
    canvas, cut.

    Raises:
        CameraError: the picture is not RGB uint8.
    """
    check_rgb(rgb)
    height, width = rgb.shape[:2]
    base = settings.base_img_size
    canvas_width, canvas_height = choose_canvas(width, height, base, settings.num_crops)
    canvas = resize_bilinear(normalise(rgb, settings), canvas_height, canvas_width)
    rows, columns = canvas_height // base, canvas_width // base
    grid = canvas.reshape(rows, base, columns, base, 3).transpose(0, 2, 4, 1, 3)
    return np.ascontiguousarray(grid.reshape(rows * columns, 3, base, base)), (rows, columns)


def normalise(rgb: NDArray[np.uint8], settings: PreparationSettings) -> Float32Array:
    """Bytes -> float32 of about zero mean and unit variance; the shape stays (..., 3)."""
    mean = np.array(settings.mean, dtype=np.float32)
    std = np.array(settings.std, dtype=np.float32)
    return (rgb.astype(np.float32) / np.float32(255.0) - mean) / std


def candidate_canvases(base: int, num_crops: int) -> list[tuple[int, int]]:
    """All (width, height) made of at most ``num_crops`` squares of ``base``, in Magma's order."""
    return [
        (columns * base, rows * base)
        for columns in range(1, num_crops + 1)
        for rows in range(1, num_crops // columns + 1)
    ]


def choose_canvas(width: int, height: int, base: int, num_crops: int) -> tuple[int, int]:
    """The canvas (width, height) that keeps most of the picture; ties: least waste, then first.

    Source: ``select_best_resolution`` of LLaVA-NeXT, which Magma uses; scaled sizes are truncated.
    """

    def fit(canvas: tuple[int, int]) -> tuple[int, int]:
        scale = min(canvas[0] / width, canvas[1] / height)
        kept = min(int(width * scale) * int(height * scale), width * height)
        return kept, kept - canvas[0] * canvas[1]

    return max(candidate_canvases(base, num_crops), key=fit)


def resize_bilinear(image: Float32Array, height: int, width: int) -> Float32Array:
    """(h, w, c) -> (height, width, c) like torch's bilinear ``interpolate``, no antialiasing."""
    if image.shape[:2] == (height, width):
        return image
    top, bottom, down = _neighbours(image.shape[0], height)
    left, right, across = _neighbours(image.shape[1], width)
    rows = image[top] + (image[bottom] - image[top]) * down[:, None, None]
    return rows[:, left] + (rows[:, right] - rows[:, left]) * across[None, :, None]


def _neighbours(
    size: int, new_size: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], Float32Array]:
    """Index before, index after and weight of the one after, for each new position."""
    centres = (np.arange(new_size) + 0.5) * (size / new_size) - 0.5
    centres = centres.clip(0, size - 1)
    before = np.floor(centres).astype(np.intp)
    return before, np.minimum(before + 1, size - 1), (centres - before).astype(np.float32)


def check_rgb(rgb: NDArray[np.uint8]) -> None:
    """Raises CameraError unless the picture is (height, width, 3) uint8 and not empty."""
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or rgb.size == 0:
        raise CameraError(
            f'picture has shape {rgb.shape} and type {rgb.dtype}, but must be (height, width, 3) '
            'uint8 RGB: '
            'set the camera to rgb8 (or bgr8, which the camera topic reader converts)'
        )
