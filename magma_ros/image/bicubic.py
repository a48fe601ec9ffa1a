"""Pillow's bicubic resize of 8-bit pictures: the same bytes, in half the time.

Pillow filters rows, rounds to bytes, then filters columns, all with 22-bit fixed-point weights
(Pillow ``src/libImaging/Resample.c``). Here each pass is a few small matrix products in float32.
They are exact because every weight is split into its upper 11 and its lower 11 bits: sums of
either part times bytes need fewer than the 24 bits a float32 holds.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]
Float32Array = NDArray[np.float32]

WEIGHT_BITS = 22
LOWER = 2.0 ** -(WEIGHT_BITS // 2)  # what one unit of the lower parts is worth of an upper unit
HALF_UP = 2.0**-13  # in upper units: turns ties upwards, as in Pillow, and nothing else
OUTPUTS_PER_PRODUCT = 8  # small enough to skip most of the zeros between the weights' bands
BAND_LINES = 64  # of a picture at a time, so that buffers fit a second-level cache of 1 MB
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
        band = min(BAND_LINES, height)
        self._across = _Pass(width, size_px, band)
        self._turned = np.empty((width, band, 3), np.uint8)
        self._narrow = np.empty((height, size_px, 3), np.uint8)
        band = min(BAND_LINES, size_px)
        self._down = _Pass(height, size_px, band)
        self._lock = threading.Lock()

    def resize(self, rgb: Picture) -> Picture:
        size_px = self._narrow.shape[1]
        resized = np.empty((size_px, size_px, 3), np.uint8)
        with self._lock:
            for rows in _bands(len(rgb)):
                cv2.transpose(rgb[rows], self._turned)
                cv2.transpose(self._across.filter(self._turned), self._narrow[rows])
            for columns in _bands(size_px):
                resized[:, columns] = self._down.filter(self._narrow[:, columns])
        return resized


def _bands(length: int) -> Iterator[slice]:
    """Slices of BAND_LINES each; the last may overlap with the one before it."""
    band = min(BAND_LINES, length)
    for start in range(0, length, band):
        start = min(start, length - band)
        yield slice(start, start + band)


class _Pass:
    """Filters along the first axis of (n, lines, 3) bytes; good until the next call.

    Weights repeat: 640 pixels become 256 in 128 periods of 5 that become 2. So the periods are one
    stack of small products on overlapping windows.
    """

    def __init__(self, size: int, new_size: int, lines: int) -> None:
        values = 3 * lines
        # First the sums of the upper parts, then those of the lower parts, in lower units.
        self._sums = np.empty((2, new_size, values), np.float32)
        self._filtered = np.empty((new_size, values), np.uint8)
        windows = _windows(size, new_size)
        before = max(0, *(-window.first for window in windows))
        behind = max(0, *(window.first + window.taps for window in windows))
        padded = np.zeros((before + size + behind, values), np.float32)
        self._source = padded[before : before + size]
        self._products = []
        for window in windows:
            spread = sliding_window_view(padded[before + window.first :], window.taps, axis=0)
            source = spread[:: window.step][: window.periods].transpose(0, 2, 1)
            for weights, sums in zip(window.weights, self._sums, strict=True):
                target = sums.reshape(window.periods, -1, values)[:, window.outputs]
                self._products.append((weights, source, target))

    def filter(self, picture: Picture) -> Picture:
        np.copyto(self._source.reshape(picture.shape), picture)
        for weights, source, target in self._products:
            np.matmul(weights, source, out=target)
        upper, lower = self._sums
        np.floor(lower, out=lower)
        # Rounds and limits to bytes in the same step.
        cv2.addWeighted(upper, 1.0, lower, LOWER, HALF_UP, dst=self._filtered, dtype=cv2.CV_8U)
        return self._filtered.reshape(len(self._filtered), -1, 3)


@dataclass(frozen=True)
class _Window:
    """Neighbouring outputs of every period, and the inputs they are made of."""

    weights: Float32Array  # (2, periods, outputs, taps): upper parts, lower parts
    periods: int
    step: int  # from period to period
    outputs: slice  # of a period
    first: int  # input of the first period; negative: before the picture
    taps: int


def _windows(size: int, new_size: int) -> list[_Window]:
    weights = fixed_point_weights(size, new_size)
    upper = np.round(weights * LOWER)
    parts = np.stack([upper * LOWER, (weights - upper / LOWER) * LOWER])
    periods = math.gcd(size, new_size)
    step, outputs_per_period = size // periods, new_size // periods
    starts = step * np.arange(periods)[:, None]
    used = weights.reshape(periods, outputs_per_period, size) != 0
    first_used = used.argmax(axis=2) - starts  # (periods, outputs), from the start of the period
    last_used = size - 1 - used[:, :, ::-1].argmax(axis=2) - starts
    windows = []
    for begin in range(0, outputs_per_period, OUTPUTS_PER_PRODUCT):
        outputs = slice(begin, begin + OUTPUTS_PER_PRODUCT)
        first = int(first_used[:, outputs].min())
        taps = int(last_used[:, outputs].max()) - first + 1
        lines = starts + first + np.arange(taps)  # (periods, taps)
        inside = (lines >= 0) & (lines < size)
        chosen = parts.reshape(2, periods, outputs_per_period, size)[:, :, outputs]
        taken = np.take_along_axis(chosen, np.clip(lines, 0, size - 1)[None, :, None], axis=3)
        windows.append(
            _Window(
                np.where(inside[None, :, None], taken, 0.0).astype(np.float32),
                periods,
                step,
                outputs,
                first,
                taps,
            )
        )
    return windows


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
