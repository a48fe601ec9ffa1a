from __future__ import annotations

import numpy as np
import pytest

from magma_ros.data_types import CameraImage
from magma_ros.image.image_checks import FROZEN_NS, FrozenDetector, find_fault

SIZE_PX = (64, 48)


def picture(rgb: np.ndarray, stamp_ns: int = 0) -> CameraImage:
    return CameraImage(rgb, stamp_ns, 'camera')


def noise(seed: int = 0, low: int = 0, high: int = 256) -> np.ndarray:
    return np.random.default_rng(seed).integers(low, high, (48, 64, 3), dtype=np.uint8)


def test_a_real_picture_has_no_fault() -> None:
    assert find_fault(picture(noise()), SIZE_PX) is None


@pytest.mark.parametrize(
    'rgb',
    [
        noise().astype(np.float32),
        noise()[..., 0],
        noise()[:, :32],
        noise().transpose(1, 0, 2),
        np.zeros((48, 64, 4), np.uint8),
    ],
    ids=['type', 'grey', 'width', 'turned', 'alpha'],
)
def test_another_format_is_a_fault(rgb: np.ndarray) -> None:
    assert find_fault(picture(rgb), SIZE_PX) == 'CAMERA_FORMAT'


@pytest.mark.parametrize(
    'rgb',
    [np.zeros((48, 64, 3), np.uint8), np.full((48, 64, 3), 128, np.uint8), noise(0, 0, 5)],
    ids=['black', 'flat', 'nearly black'],
)
def test_a_picture_that_shows_nothing_is_a_fault(rgb: np.ndarray) -> None:
    assert find_fault(picture(rgb), SIZE_PX) == 'CAMERA_DARK'


def test_the_same_pixels_for_long_are_frozen() -> None:
    detector = FrozenDetector()

    assert not detector.is_frozen(picture(noise(), 0))
    assert not detector.is_frozen(picture(noise(), FROZEN_NS - 1))
    assert detector.is_frozen(picture(noise(), FROZEN_NS))


def test_one_changed_pixel_is_life() -> None:
    detector, changed = FrozenDetector(), noise()
    changed[10, 10, 1] ^= 1

    assert not detector.is_frozen(picture(noise(), 0))
    assert not detector.is_frozen(picture(changed, FROZEN_NS))
    assert not detector.is_frozen(picture(changed, 2 * FROZEN_NS - 1))
    assert detector.is_frozen(picture(changed, 2 * FROZEN_NS))
