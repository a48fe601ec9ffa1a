"""Warnings against the reference picture, and the ghost that goes with them."""

from __future__ import annotations

from threading import Event

import cv2
import numpy as np
import pytest

from magma_ros.data_types import ArmState, CameraImage, CameraModel, Observation, Pose
from magma_ros.errors import CameraError
from magma_ros.image.picture_file import read_picture, write_picture
from magma_ros.nodes.reference_watch import NANO, Reference, ReferenceWatch
from magma_ros.resources import asset_path

POSE = Pose(np.zeros(3), np.eye(4)[3])
CAMERA = CameraModel(640, 480, 617.0, 617.0, 320.0, 240.0, POSE)
RGB = read_picture(asset_path('reference_views') / 'nano.png')


def observe(rgb: np.ndarray) -> Observation:
    arm = ArmState(np.zeros(6), np.zeros(6), POSE, 1.0, 7)
    return Observation(CameraImage(rgb, 7, 'camera'), arm, CAMERA, lambda: pytest.fail('no depth'))


@pytest.fixture
def shown() -> list[CameraImage]:
    return []


@pytest.fixture
def watch(shown) -> ReferenceWatch:
    return ReferenceWatch(Reference(NANO), 0.01, lambda: observe(RGB), shown.append)


def test_the_reference_itself_is_no_finding(watch, shown) -> None:
    watch.compare(observe(RGB))

    assert watch.findings == ()
    assert (watch.values['view_shift_px'], watch.values['view_scale']) == ('0.00', '1.00')
    assert (shown[0].stamp_ns, shown[0].frame_id) == (7, 'camera')


def test_a_rolled_camera_with_swapped_channels_has_two(watch) -> None:
    turning = cv2.getRotationMatrix2D((320, 240), 8.0, 1.0)
    watch.compare(observe(cv2.warpAffine(RGB, turning, (640, 480))[..., ::-1]))

    assert [finding.code for finding in watch.findings] == ['CAMERA_MOVED', 'CAMERA_COLOURS']
    assert float(watch.values['view_roll_deg']) == pytest.approx(-8.0, abs=0.3)


def test_another_size_is_a_finding_and_not_the_end(watch, shown) -> None:
    watch.compare(observe(np.ascontiguousarray(RGB[::2, ::2])))

    assert 'its reference 640 x 480' in watch.findings[0].text
    assert (watch.values, shown) == ({}, [])


def test_it_compares_by_itself_until_it_is_stopped(shown) -> None:
    seen = Event()
    watch = ReferenceWatch(Reference(NANO), 0.01, lambda: observe(RGB), lambda _: seen.set())
    watch.start()
    assert seen.wait(30.0)
    watch.stop()
    assert watch.values


def test_pictures_of_ones_own_are_read_and_missing_ones_named(tmp_path) -> None:
    write_picture(RGB, tmp_path / 'mine.png')

    assert Reference(str(tmp_path / 'mine.png')).view.compare(RGB, 617.0).shift_px == 0.0
    with pytest.raises(CameraError, match='does not exist'):
        Reference(str(tmp_path / 'gone.png'))
