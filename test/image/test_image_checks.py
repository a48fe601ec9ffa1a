from __future__ import annotations

import typing

import numpy as np
import pytest

from magma_ros.data_types import CameraImage
from magma_ros.image.image_checks import Code, Effect, find_fault, find_wrong_frame
from magma_ros.motion.reason_codes import Reason

SIZE_PX = (64, 48)


def picture(rgb: np.ndarray, stamp_ns: int = 0) -> CameraImage:
    return CameraImage(rgb, stamp_ns, 'camera')


def noise(seed: int = 0, low: int = 0, high: int = 256) -> np.ndarray:
    return np.random.default_rng(seed).integers(low, high, (48, 64, 3), dtype=np.uint8)


def test_every_code_is_a_reason() -> None:
    assert set(typing.get_args(Code)) <= set(Reason.__members__)


def test_a_real_picture_has_no_fault() -> None:
    assert find_fault(picture(noise()), SIZE_PX) is None
    assert find_wrong_frame(picture(noise()), '') is None
    assert find_wrong_frame(picture(noise()), 'camera') is None


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
    fault = find_fault(picture(rgb), SIZE_PX)

    assert fault is not None
    assert (fault.code, fault.effect) == ('CAMERA_FORMAT', Effect.HOLD)
    assert '64 x 48' in fault.text


@pytest.mark.parametrize(
    ('rgb', 'says'),
    [
        (np.zeros((48, 64, 3), np.uint8), 'black'),
        (np.full((48, 64, 3), 128, np.uint8), 'covered'),
        (noise(0, 0, 5), 'black'),
        (np.full((48, 64, 3), 255, np.uint8), 'over-exposed'),
        (noise(0, 248, 256), 'over-exposed'),
    ],
    ids=['black', 'flat', 'nearly black', 'white', 'nearly white'],
)
def test_a_picture_that_shows_nothing_is_a_fault(rgb: np.ndarray, says: str) -> None:
    fault = find_fault(picture(rgb), SIZE_PX)

    assert fault is not None
    assert fault.code == 'CAMERA_DARK'
    assert fault.text.startswith(says)


def test_a_picture_of_another_camera_is_a_fault() -> None:
    fault = find_wrong_frame(picture(noise()), 'wrist_camera')

    assert fault is not None
    assert fault.code == 'CAMERA_FRAME'
    assert "'camera', not of 'wrist_camera'" in fault.text
