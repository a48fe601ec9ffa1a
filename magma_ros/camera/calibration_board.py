"""Boards to calibrate with: ChArUco, or a grid of AprilTags; drawing them and finding them.

Needs OpenCV 4.7 or later, whose detectors are classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from magma_ros.data_types import FloatArray
from magma_ros.errors import ConfigurationError

BoardKind = Literal['charuco', 'apriltag']
BOARD_KINDS: tuple[BoardKind, ...] = get_args(BoardKind)
FEWEST_CORNERS = 8
PRINT_DPI = 300
PAPER_MARGIN_M = 0.010
MOST_PX = 20_000  # of a side of the printed picture


@dataclass(frozen=True)
class BoardShape:
    """What is printed. ``marker_m`` is the black square of a tag, ``square_m`` the pitch."""

    kind: BoardKind = 'charuco'
    columns: int = 7
    rows: int = 5
    square_m: float = 0.030
    marker_m: float = 0.022

    @property
    def size_m(self) -> tuple[float, float]:
        """Width and height."""
        gap_m = 0.0 if self.kind == 'charuco' else self.square_m - self.marker_m
        return self.columns * self.square_m - gap_m, self.rows * self.square_m - gap_m


@dataclass(frozen=True)
class BoardCorners:
    """Corners of the board that were found in one picture."""

    points_in_board_m: FloatArray  # (n, 3), z is 0
    points_px: FloatArray  # (n, 2)


class CalibrationBoard:
    """A board of one shape.

    Raises:
        ConfigurationError: no such board can be.
    """

    def __init__(self, shape: BoardShape) -> None:
        if shape.kind not in BOARD_KINDS:
            raise ConfigurationError(
                f'board {shape.kind!r} is unknown; there are {", ".join(BOARD_KINDS)}'
            )
        if not (0.0 < shape.marker_m < shape.square_m) or min(shape.columns, shape.rows) < 3:
            raise ConfigurationError(
                f'a board of {shape.columns} x {shape.rows} squares of {shape.square_m} m with '
                f'markers of {shape.marker_m} m cannot be: markers are smaller than squares, and '
                'there are at least 3 x 3'
            )
        self.shape = shape
        count = shape.columns, shape.rows
        refining = cv2.aruco.DetectorParameters()
        refining.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
        if shape.kind == 'charuco':
            marks = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_5X5_1000)
            board = cv2.aruco.CharucoBoard(count, shape.square_m, shape.marker_m, marks)
            self._board: cv2.aruco.Board = board
            self._charuco = cv2.aruco.CharucoDetector(board)
        else:
            marks = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11)
            gap_m = shape.square_m - shape.marker_m
            self._board = cv2.aruco.GridBoard(count, shape.marker_m, gap_m, marks)
            self._tags = cv2.aruco.ArucoDetector(marks, refining)
        self._marks = marks

    def find(self, rgb: NDArray[np.uint8]) -> BoardCorners | None:
        """Its corners in a picture; None if fewer than FEWEST_CORNERS are seen."""
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        found: Any
        if self.shape.kind == 'charuco':
            found, ids, _, _ = self._charuco.detectBoard(grey)
        else:
            found, ids, _ = self._tags.detectMarkers(grey)
        if found is None or ids is None or len(found) == 0:
            return None
        in_board, in_picture = self._board.matchImagePoints(found, ids)
        if in_board is None or len(in_board) < FEWEST_CORNERS:
            return None
        return BoardCorners(
            np.asarray(in_board, float).reshape(-1, 3),
            np.asarray(in_picture, float).reshape(-1, 2),
        )

    def draw(self, pixels_per_m: float) -> NDArray[np.uint8]:
        """(height, width) grey, the board from edge to edge."""
        width, height = (round(side * pixels_per_m) for side in self.shape.size_m)
        if max(width, height) > MOST_PX:
            raise ConfigurationError(f'a board of {width} x {height} pixels is too large: smaller')
        if self.shape.kind == 'charuco':
            drawn = self._board.generateImage((width, height))
            return np.asarray(drawn, np.uint8)
        canvas = np.full((height, width), 255, np.uint8)
        side = round(self.shape.marker_m * pixels_per_m)
        for number, corners in zip(
            np.ravel(self._board.getIds()), self._board.getObjPoints(), strict=True
        ):
            left, top = np.round(np.asarray(corners)[:, :2].min(axis=0) * pixels_per_m).astype(int)
            tag = cv2.aruco.generateImageMarker(self._marks, int(number), side)
            canvas[top : top + side, left : left + side] = tag[: height - top, : width - left]
        return canvas

    def write(self, path: Path) -> None:
        """A .pdf or .png to print at 100 %, with a white margin.

        Raises:
            ConfigurationError: the name ends in something else, or cannot be written to.
        """
        if path.suffix.lower() not in ('.pdf', '.png'):
            raise ConfigurationError(f'{path} must end in .pdf or .png')
        pixels_per_m = PRINT_DPI / 0.0254
        margin = round(PAPER_MARGIN_M * pixels_per_m)
        page = np.pad(self.draw(pixels_per_m), margin, constant_values=255)
        try:
            if path.suffix.lower() == '.pdf':
                Image.fromarray(page).save(path, resolution=PRINT_DPI)
            else:
                Image.fromarray(page).save(path, dpi=(PRINT_DPI, PRINT_DPI))
        except OSError as error:
            raise ConfigurationError(f'{path} cannot be written: {error}') from error
