"""Has the camera been moved since training? A picture against the reference view.

Features (ORB) of both are matched and a similarity is fitted (RANSAC), in which things that were
laid elsewhere are outliers: table and arm agree, objects do not. A table has little contrast and
repeats itself, so contrast is equalised first and matches are sought nearby. Too slow for every
picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from magma_ros.data_types import FloatArray
from magma_ros.errors import CameraError
from magma_ros.image.image_checks import Effect, Finding

Picture = NDArray[np.uint8]
FEATURES = 1500
FAST_THRESHOLD = 5
CONTRAST, TILES = 3.0, (8, 8)  # of the equalisation
NEAR_PX = 120.0  # a camera that was moved further shares too few features, which is said as well
FIT_PX = 3.0  # an inlier is as near as this
ITERATIONS = 5000  # a fifth of the matches may have to do
MIN_INLIERS = 15
MOVED_PX, MOVED_ROLL_DEG = 25.0, 3.0  # magma-nano was trained with 5 px of jitter (1 sigma)
EDGES = (60, 120)  # of Canny
GHOST_RGB = (255, 0, 255)


@dataclass(frozen=True)
class ViewDrift:
    """How the picture lies on the reference; None fields: they could not be compared."""

    shift_px: float | None  # of the middle of the picture
    turn_deg: float | None  # that much turning about the lens shifts the middle as far
    roll_deg: float | None  # about the optical axis
    scale: float | None
    inliers: int
    transform: FloatArray | None  # (2, 3), reference pixels -> picture pixels

    def find_fault(self) -> Finding | None:
        """``CAMERA_MOVED`` when it is more than training has seen."""
        if self.shift_px is None or self.turn_deg is None or self.roll_deg is None:
            return Finding(
                'CAMERA_MOVED',
                f'the picture shares only {self.inliers} features with the reference picture: '
                'another place, light or lens',
                Effect.WARN,
            )
        if self.shift_px < MOVED_PX and abs(self.roll_deg) < MOVED_ROLL_DEG:
            return None
        return Finding(
            'CAMERA_MOVED',
            f'the view has moved by {self.shift_px:.0f} px ({self.turn_deg:.1f} deg) and rolled '
            f'by {self.roll_deg:.1f} deg since the reference picture; put the camera back',
            Effect.WARN,
        )


class ReferenceView:
    """A picture of the camera where it was in training, to compare others with.

    Raises:
        CameraError: it has too few features to compare anything with.
    """

    def __init__(self, reference_rgb: Picture) -> None:
        self.rgb = reference_rgb
        self._detector = cv2.ORB_create(  # type: ignore[attr-defined]  # older OpenCV has no other
            FEATURES, fastThreshold=FAST_THRESHOLD
        )
        self._contrast = cv2.createCLAHE(CONTRAST, TILES)
        self._points, self._bits = self._describe(reference_rgb)
        if len(self._points) < 4 * MIN_INLIERS:
            raise CameraError(
                f'the reference picture has only {len(self._points)} features; take one with the '
                'arm and the table in it'
            )

    def compare(self, rgb: Picture, focal_px: float) -> ViewDrift:
        """Where the picture lies on the reference.

        Args:
            rgb: of the same size as the reference.
            focal_px: of the camera, for the degrees.

        Raises:
            CameraError: the sizes differ.
        """
        if rgb.shape != self.rgb.shape:
            (height, width), (rows, columns) = rgb.shape[:2], self.rgb.shape[:2]
            raise CameraError(
                f'CAMERA_FORMAT: the picture is {width} x {height}, its reference {columns} x '
                f'{rows}; take the reference with this camera'
            )
        points, bits = self._describe(rgb)
        if len(points) < MIN_INLIERS:
            return ViewDrift(None, None, None, None, len(points), None)
        before, after = self._match(points, bits)
        if len(before) < MIN_INLIERS:
            return ViewDrift(None, None, None, None, len(before), None)
        transform, is_inlier = cv2.estimateAffinePartial2D(
            before, after, ransacReprojThreshold=FIT_PX, maxIters=ITERATIONS, confidence=0.999
        )
        inliers = int(is_inlier.sum()) if transform is not None else 0
        if inliers < MIN_INLIERS:
            return ViewDrift(None, None, None, None, inliers, None)
        middle = np.array([rgb.shape[1] / 2, rgb.shape[0] / 2])
        shift_px = float(np.linalg.norm(transform @ [*middle, 1.0] - middle))
        cosine, sine = transform[0, 0], transform[1, 0]
        return ViewDrift(
            shift_px,
            float(np.rad2deg(np.arctan2(shift_px, focal_px))),
            float(np.rad2deg(np.arctan2(sine, cosine))),
            float(np.hypot(cosine, sine)),
            inliers,
            np.asarray(transform, dtype=float),
        )

    def draw_ghost(self, rgb: Picture) -> Picture:
        """The picture half seen through, with the edges of the reference over it."""
        canvas = cv2.addWeighted(rgb, 0.5, self.rgb, 0.5, 0.0)
        canvas[cv2.Canny(_grey(self.rgb), *EDGES) > 0] = GHOST_RGB
        return np.asarray(canvas, dtype=np.uint8)

    def _match(
        self, points: NDArray[np.float32], bits: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Places in the reference and in the picture that are each other's nearest feature."""
        likeness = self._bits @ bits.T
        away_px = [self._points[:, None, axis] - points[None, :, axis] for axis in (0, 1)]
        likeness[away_px[0] ** 2 + away_px[1] ** 2 > NEAR_PX**2] = -np.inf
        there, back = likeness.argmax(axis=1), likeness.argmax(axis=0)
        mutual = np.flatnonzero(back[there] == np.arange(len(there)))
        mutual = mutual[np.isfinite(likeness[mutual, there[mutual]])]
        return self._points[mutual], points[there[mutual]]

    def _describe(self, rgb: Picture) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(n, 2) places of features, and (n, 256) their bits as -1 and 1."""
        equalised = self._contrast.apply(_grey(rgb))
        features, descriptors = self._detector.detectAndCompute(equalised, None)
        if not features:
            return np.zeros((0, 2), np.float32), np.zeros((0, 256), np.float32)
        places = np.array([feature.pt for feature in features], dtype=np.float32)
        bits = np.unpackbits(descriptors, axis=1).astype(np.float32)
        return places, 2.0 * bits - 1.0


def _grey(rgb: Picture) -> Picture:
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY), dtype=np.uint8)
