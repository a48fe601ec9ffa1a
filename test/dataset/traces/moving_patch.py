"""A textured patch that moves over a textured ground, maybe seen by a camera that moves."""

from __future__ import annotations

import cv2
import numpy as np

WIDTH, HEIGHT = 320, 240
PATCH_PX = 60


def texture(width: int, height: int, seed: int, low: int, high: int) -> np.ndarray:
    noise = np.random.default_rng(seed).uniform(0, 1, (height // 8 + 1, width // 8 + 1, 3))
    smooth = cv2.resize(noise.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(low + (high - low) * smooth, 0, 255).astype(np.uint8)


def patch_corner(frame: int) -> tuple[int, int]:
    """Of the patch on the ground: 4 right and 2 down a frame."""
    return 60 + 4 * frame, 70 + 2 * frame


def film(count: int = 17, pan_px: int = 0) -> list[np.ndarray]:
    """``pan_px``: how far the camera pans in a frame; the ground goes left."""
    ground = texture(WIDTH + 400, HEIGHT, 1, 90, 170)
    patch = texture(PATCH_PX, PATCH_PX, 2, 170, 255)
    frames = []
    for frame in range(count):
        scene = ground.copy()
        x, y = patch_corner(frame)
        scene[y : y + PATCH_PX, x : x + PATCH_PX] = patch
        frames.append(np.ascontiguousarray(scene[:, frame * pan_px : frame * pan_px + WIDTH]))
    return frames


def is_inside_patch(cells: np.ndarray, margin_px: float = 0.0) -> np.ndarray:
    """(n,) for cells (n, 2) of frame 0."""
    pixels = cells * [WIDTH / 256, HEIGHT / 256] - patch_corner(0)
    return ((pixels > margin_px) & (pixels < PATCH_PX - margin_px)).all(axis=1)


STEP_CELLS = np.array([4 * 256 / WIDTH, 2 * 256 / HEIGHT])
