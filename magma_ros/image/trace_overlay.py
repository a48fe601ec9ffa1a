"""Draws into a picture what the model wants and what the gripper has done, for people to see.

Traces look as HAMSTER draws them (arXiv 2502.05485): a line in the colours of jet, blue
at its begin and red at its end, with a ring where the gripper closes (blue) or opens (red).
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from magma_ros.data_types import FloatArray, GripperEvent, PixelTrace

Picture = NDArray[np.uint8]
Rgb = tuple[int, int, int]

SAMPLES = 100  # of equal length along a trace
LINE_PX = 2
RING_PX = 7
DOT_PX = 5
REFERENCE_PX = 512  # thickness and radius grow with pictures whose shorter side is longer
EVENT_RGB: dict[GripperEvent, Rgb] = {
    GripperEvent.CLOSE: (0, 0, 255),
    GripperEvent.OPEN: (255, 0, 0),
}
EXECUTED_RGB: Rgb = (255, 255, 255)
TEXT_RGB: Rgb = (255, 255, 255)
STATUS_RGB: Rgb = (190, 200, 210)
BAND_SHARE = 0.35  # of the picture's brightness that is left behind text
FRACTION_BITS = 4  # OpenCV draws at sixteenths of a pixel
FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_overlay(
    rgb: Picture,
    traces: Sequence[PixelTrace],
    executed_px: FloatArray | None = None,
    instruction: str = '',
    status: str = '',
) -> Picture:
    """A copy of the picture with everything drawn into it.

    Args:
        rgb: (height, width, 3).
        traces: what the model wants, in pixels of this picture.
        executed_px: (n, 2) where the gripper has been, oldest first; NaN breaks the line.
        instruction: first line of text, at the foot of the picture.
        status: second line, smaller.
    """
    canvas = np.ascontiguousarray(rgb).copy()
    if executed_px is not None:
        draw_executed(canvas, executed_px)
    for trace in traces:
        draw_trace(canvas, trace)
    draw_caption(canvas, instruction, status)
    return canvas


def draw_trace(canvas: Picture, trace: PixelTrace) -> None:
    """Start and future positions as one line coloured along time, rings at its events; in place.

    ``trace.events`` count ``points_px``; a trace without events has a dot at its end.
    """
    points = np.vstack([trace.start_px, trace.points_px.reshape(-1, 2)])
    scale = _scale(canvas)
    samples = _resample(points, SAMPLES)
    colours = _colours_along(len(samples))
    for begin, end, colour in zip(samples[:-1], samples[1:], colours, strict=False):
        _line(canvas, np.stack([begin, end]), colour, round(LINE_PX * scale))
    for index, event in sorted(trace.events.items()):
        _ring(canvas, points[index + 1], EVENT_RGB[event], scale)
    if not trace.events:
        x, y = _fixed_point(points[-1]).tolist()
        radius = round(DOT_PX * scale * 2**FRACTION_BITS)
        cv2.circle(canvas, (x, y), radius, colours[-1], -1, cv2.LINE_AA, FRACTION_BITS)


def draw_executed(canvas: Picture, points_px: FloatArray) -> None:
    """Where the gripper has been: a thin white line; in place. NaN breaks it."""
    points = np.asarray(points_px, dtype=float).reshape(-1, 2)
    known = np.isfinite(points).all(axis=1)
    for piece in np.split(points, np.flatnonzero(~known)):
        run = piece[np.isfinite(piece).all(axis=1)]
        if len(run) > 1:
            _line(canvas, run, EXECUTED_RGB, 1)


def draw_caption(canvas: Picture, instruction: str, status: str = '') -> None:
    """Text on a darkened band at the foot of the picture; in place. What is too long is cut."""
    scale = _scale(canvas)
    lines = [
        (text, size, colour)
        for text, size, colour in (
            (instruction, 0.6 * scale, TEXT_RGB),
            (status, 0.45 * scale, STATUS_RGB),
        )
        if text
    ]
    if not lines:
        return
    height, width = canvas.shape[:2]
    margin = round(10 * scale)
    heights = [round(38 * size) for _, size, _ in lines]
    top = max(0, height - sum(heights) - margin)
    canvas[top:] = (canvas[top:] * BAND_SHARE).astype(np.uint8)
    baseline = top + margin // 2
    for (text, size, colour), line_height in zip(lines, heights, strict=True):
        baseline += line_height
        place = (margin, baseline - line_height // 4)
        fitting = _fit(text, size, width - 2 * margin)
        cv2.putText(canvas, fitting, place, FONT, size, colour, 1, cv2.LINE_AA)


def _scale(canvas: Picture) -> float:
    return max(min(canvas.shape[:2]) / REFERENCE_PX, 1.0)


def _resample(points: FloatArray, count: int) -> FloatArray:
    """Points of equal distance along the line."""
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    wanted = np.linspace(0.0, along[-1], count)
    return np.stack([np.interp(wanted, along, points[:, axis]) for axis in (0, 1)], axis=1)


def _colours_along(count: int) -> list[Rgb]:
    shades = np.linspace(0, 255, count).astype(np.uint8)[:, None]
    bgr = cv2.applyColorMap(shades, cv2.COLORMAP_JET)[:, 0]
    return [(int(red), int(green), int(blue)) for blue, green, red in bgr]


def _line(canvas: Picture, points: FloatArray, colour: Rgb, thickness: int) -> None:
    fixed = _fixed_point(points)
    cv2.polylines(canvas, [fixed], False, colour, thickness, cv2.LINE_AA, FRACTION_BITS)


def _ring(canvas: Picture, centre: FloatArray, colour: Rgb, scale: float) -> None:
    radius = round(RING_PX * scale * 2**FRACTION_BITS)
    x, y = _fixed_point(centre).tolist()
    for shade, thickness in ((EXECUTED_RGB, 4), (colour, 2)):  # a light rim on dark ground
        thick = round(thickness * scale)
        cv2.circle(canvas, (x, y), radius, shade, thick, cv2.LINE_AA, FRACTION_BITS)


def _fixed_point(points: FloatArray) -> NDArray[np.int32]:
    # Far outside is as good as outside, and does not overflow.
    near = np.clip(points, -1e4, 1e4)
    return np.round(near * 2**FRACTION_BITS).astype(np.int32)


def _fit(text: str, size: float, width_px: int) -> str:
    while text and cv2.getTextSize(text, FONT, size, 1)[0][0] > width_px:
        text = text[:-4] + '...' if len(text) > 4 else ''
    return text
