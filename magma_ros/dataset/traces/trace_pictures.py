"""Labels drawn into pictures: what the model is shown, and what people look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from magma_ros.data_types import PixelTrace
from magma_ros.dataset.traces.marks import Cell, FrameLabels
from magma_ros.dataset.traces.tracker import Picture
from magma_ros.image.mark_drawing import draw_marks
from magma_ros.image.trace_overlay import draw_caption, draw_trace
from magma_ros.model.text.trace_text import grid_to_pixels

SIZE_PX = (640, 480)  # of a half


def draw_label_marks(rgb: Picture, labels: FrameLabels) -> Picture:
    """The picture with the numbers of all marks, as training shows it; any size."""
    height, width = rgb.shape[:2]
    return draw_marks(
        rgb, {mark.number: _middles([mark.cell], width, height)[0] for mark in labels.marks}
    )


def draw_traces(rgb: Picture, labels: FrameLabels) -> Picture:
    """Numbers, and where the moving ones go."""
    height, width = rgb.shape[:2]
    canvas = rgb.copy()
    for mark in labels.moving:
        points = _middles([mark.cell, *mark.future], width, height)
        draw_trace(canvas, PixelTrace(mark.number, points[0], points[1:]))
    return draw_label_marks(canvas, labels)


def draw_side_by_side(
    frames: Iterable[Picture], labels: Iterable[FrameLabels], horizon: int
) -> Iterator[Picture]:
    """On the left a frame with its labels, on the right what then happens; then the next one.

    Gives one picture for each frame, (SIZE_PX height, twice its width, 3).
    """
    left = None
    for index, (frame, said) in enumerate(zip(frames, labels, strict=True)):
        right = cv2.resize(frame, SIZE_PX, interpolation=cv2.INTER_AREA)
        if index % horizon == 0:
            left = draw_traces(np.asarray(right, np.uint8), said)
            camera = 'camera moves' if said.is_camera_moving else 'camera stands still'
            draw_caption(
                left, f'frame {index}: {len(said.moving)} of {len(said.marks)} move', camera
            )
        assert left is not None
        yield np.hstack([left, right])


def _middles(cells: list[Cell], width_px: int, height_px: int) -> np.ndarray:
    """Pixels of the middle of cells."""
    half = np.array([0.5 * width_px, 0.5 * height_px]) / 256
    return grid_to_pixels(cells, width_px, height_px) + half
