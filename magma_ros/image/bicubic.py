"""Pillow's bicubic resize of 8-bit pictures: the same bytes, in half the time.

Pillow filters rows, rounds to bytes, then filters columns, all with 22-bit fixed-point weights
(Pillow ``src/libImaging/Resample.c``). Here each pass is a few small matrix products in float32.
They are exact because every weight is split into its upper 11 and its lower 11 bits: sums of
either part times bytes need fewer than the 24 bits a float32 holds.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]
Float32Array = NDArray[np.float32]

WEIGHT_BITS = 22
LOWER = 2.0 ** -(WEIGHT_BITS // 2)  # what one unit of the lower parts is worth of an upper unit
HALF_UP = 2.0**-13  # in upper units: turns ties upwards, as in Pillow, and nothing else
OUTPUTS_PER_PRODUCT = 4  # small enough to skip most of the zeros between the weights' bands
SUPPORT = 2.0  # of the cubic, in pixels of the coarser grid
LARGEST_BYTES = 1280 * 720 * 3  # buffers are four times as large; beyond, Pillow itself is used


def resize_bicubic(rgb: Picture, size_px: int) -> Picture:
    """(height, width, 3) -> (size, size, 3), aspect not kept; equal to Pillow's in every byte.

    Upright pictures are left to Pillow, for some of its versions filter their columns first.
    """
    height, width = rgb.shape[:2]
    if rgb.nbytes > LARGEST_BYTES or height > width:
        resized = Image.fromarray(rgb).resize((size_px, size_px), Image.Resampling.BICUBIC)
        return np.asarray(resized, dtype=np.uint8)
    return _resizer(height, width, size_px).resize(rgb)


@lru_cache(maxsize=4)
def _resizer(height: int, width: int, size_px: int) -> _Resizer:
    return _Resizer(height, width, size_px)


class _Resizer:
    """Weights and buffers for pictures of one size; one thread at a time."""

    def __init__(self, height: int, width: int, size_px: int) -> None:
        self._across = _Pass(width, size_px, 3 * height)
        self._down = _Pass(height, size_px, 3 * size_px)
        self._lock = threading.Lock()

    def resize(self, rgb: Picture) -> Picture:
        with self._lock:
            narrow = self._across.filter(_transpose(rgb))
            return self._down.filter(_transpose(narrow))


class _Pass:
    """Filters along the first axis of (n, m, 3) bytes."""

    def __init__(self, size: int, new_size: int, values_per_line: int) -> None:
        self._products = _products(size, new_size)
        self._source = np.empty((size, values_per_line), np.float32)
        # First the sums of the upper parts, then those of the lower parts, in lower units.
        self._sums = np.empty((2, new_size, values_per_line), np.float32)

    def filter(self, lines: Picture) -> Picture:
        np.copyto(self._source, lines.reshape(self._source.shape))
        for product in self._products:
            source, target = self._source[product.inputs], self._sums[:, product.outputs]
            np.matmul(product.weights, source, out=target)
        upper, lower = self._sums
        np.floor(lower, out=lower)
        # Rounds and limits to bytes in the same step.
        filtered = cv2.addWeighted(upper, 1.0, lower, LOWER, HALF_UP, dtype=cv2.CV_8U)
        return np.asarray(filtered, np.uint8).reshape(len(filtered), -1, 3)


def _transpose(picture: Picture) -> Picture:
    return np.asarray(cv2.transpose(picture), np.uint8)


@dataclass(frozen=True)
class _Product:
    """Weights (2, outputs, inputs) of neighbouring outputs: upper parts, lower parts."""

    weights: Float32Array
    inputs: slice
    outputs: slice


def _products(size: int, new_size: int) -> list[_Product]:
    weights = fixed_point_weights(size, new_size)
    upper = np.round(weights * LOWER)
    parts = np.stack([upper * LOWER, (weights - upper / LOWER) * LOWER]).astype(np.float32)
    products = []
    for start in range(0, new_size, OUTPUTS_PER_PRODUCT):
        outputs = slice(start, start + OUTPUTS_PER_PRODUCT)
        used = np.flatnonzero(weights[outputs].any(axis=0))
        inputs = slice(used[0], used[-1] + 1)
        products.append(_Product(parts[:, outputs, inputs].copy(), inputs, outputs))
    return products


def fixed_point_weights(size: int, new_size: int) -> NDArray[np.float64]:
    """(new_size, size) whole numbers: what 2**22 of a new pixel is made of."""
    scale = size / new_size
    coarseness = max(scale, 1.0)
    weights = np.zeros((new_size, size))
    for index in range(new_size):
        centre = (index + 0.5) * scale
        first = max(int(centre - SUPPORT * coarseness + 0.5), 0)
        last = min(int(centre + SUPPORT * coarseness + 0.5), size)
        distances = (np.arange(last - first) + first - centre + 0.5) * (1.0 / coarseness)
        row = _cubic(np.abs(distances))
        # One after the other, as Pillow adds: another order could turn the last bit.
        row /= np.cumsum(row)[-1]
        weights[index, first:last] = np.trunc(row * 2.0**WEIGHT_BITS + np.copysign(0.5, row))
    return weights


def _cubic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' cubic with a = -0.5, in the order of operations Pillow uses."""
    a = -0.5
    near = ((a + 2.0) * x - (a + 3.0)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))
