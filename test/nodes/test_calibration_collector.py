"""Views are taken from topics, when the arm stands and both tell of the same moment."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('rclpy')

import rclpy
from rclpy.context import Context
from rich.console import Console
from sensor_msgs.msg import JointState

from magma_ros.camera.calibration_board import BoardShape, CalibrationBoard
from magma_ros.camera.lens import assume_lens
from magma_ros.camera.view_folder import read_views
from magma_ros.data_types import CameraImage
from magma_ros.errors import ArmError, CameraError
from magma_ros.nodes.calibration_collector import CalibrationCollector
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.ros.camera_messages import camera_to_message, image_to_message
from magma_ros.ros.camera_topics import camera_topics
from magma_ros.ros.time_stamps import stamp_from_ns
from magma_ros.tools import calibrate

PROFILE = load_arm_profile('wx250s')
JOINTS_RAD = (0.1, -0.2, 0.3, 0.0, 0.5, 0.0)
BOARD = CalibrationBoard(BoardShape())
WAIT_S = 20.0


class CameraAndArm:
    """Publishes when it is told, and a collector that listens."""

    def __init__(self, domain_id: int) -> None:
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain_id)
        self._node = rclpy.create_node('camera_and_arm', context=self._context)
        topics = camera_topics()
        self._colour = topics['colour'].publisher(self._node)
        self._info = topics['colour_info'].publisher(self._node)
        self._joints = self._node.create_publisher(JointState, PROFILE.joint_states_topic, 5)
        drawn = BOARD.draw(2000.0)
        sheet = np.pad(drawn, 40, constant_values=255)
        self.rgb = np.repeat(sheet[..., None], 3, axis=2)
        self.collector = CalibrationCollector(PROFILE, '/camera/camera')

    def publish(self, speed_rad_s: float = 0.0, joints_late_s: float = 0.0) -> None:
        now_ns = time.time_ns()
        camera = assume_lens(self.rgb.shape[1], self.rgb.shape[0]).camera_model()
        self._info.publish(camera_to_message(camera, now_ns, 'optical'))
        self._colour.publish(image_to_message(CameraImage(self.rgb, now_ns, 'optical')))
        for age_s in (0.4, 0.2, 0.0):
            position = [joint - age_s * speed_rad_s for joint in JOINTS_RAD]
            joints = JointState(name=[*PROFILE.joint_names, PROFILE.gripper_joint])
            joints.position = [*position, 0.03]
            joints.header.stamp = stamp_from_ns(now_ns - round((age_s + joints_late_s) * 1e9))
            self._joints.publish(joints)

    def hear(self, **arm: float) -> None:
        """Publish until the collector has the newest of everything."""
        self.collector._image = self.collector._info = None
        self.collector._joints.clear()
        deadline_s = time.monotonic() + WAIT_S
        while self.collector.missing() or len(self.collector._joints) < 3:
            assert time.monotonic() < deadline_s, self.collector.missing()
            self.publish(**arm)
            for _ in range(6):
                self.collector.spin(0.05)

    def close(self) -> None:
        self.collector.__exit__(None, None, None)
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)


@pytest.fixture
def rig(domain_id: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[CameraAndArm]:
    monkeypatch.setenv('ROS_DOMAIN_ID', str(domain_id))
    rig = CameraAndArm(domain_id)
    yield rig
    rig.close()


def test_a_view_is_the_picture_and_where_the_gripper_is(rig: CameraAndArm) -> None:
    with pytest.raises(CameraError, match='nothing heard of /camera/camera/color/image_raw'):
        rig.collector.take()

    rig.hear()
    image, pose = rig.collector.take()

    np.testing.assert_array_equal(image.rgb, rig.rgb)
    expected = PROFILE.kinematics().forward(np.array(JOINTS_RAD))
    np.testing.assert_allclose(pose.translation_m, expected.translation_m, atol=1e-9)
    assert rig.collector.lens().matrix[0, 0] > 0


def test_a_moving_arm_and_clocks_that_differ_are_refused(rig: CameraAndArm) -> None:
    rig.hear(speed_rad_s=0.2)
    with pytest.raises(ArmError, match='wait until it stands'):
        rig.collector.take()

    rig.hear(joints_late_s=1.0)
    with pytest.raises(CameraError, match='synchronise clocks'):
        rig.collector.take()


def test_collected_views_are_what_solve_reads(
    rig: CameraAndArm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Enter, Enter with the lens covered, q."""
    said = io.StringIO()
    typed = iter(['', 'cover', '', 'q'])

    def line(collector: CalibrationCollector) -> str | None:
        word = next(typed)
        if word == 'cover':
            rig.rgb = np.zeros_like(rig.rgb)
            return None
        rig.hear()
        return word

    class Listening:
        def __enter__(self) -> CalibrationCollector:
            rig.hear()
            return rig.collector

        def __exit__(self, *_: object) -> None:
            pass

    collecting = sys.modules['magma_ros.nodes.calibration_collector']
    monkeypatch.setattr(collecting, 'CalibrationCollector', lambda *_: Listening())
    monkeypatch.setattr(calibrate, '_line_while_spinning', line)
    parser_options = {'folder': tmp_path / 'views', 'arm': 'wx250s', 'camera': '/camera/camera'}

    code = calibrate._collect(
        calibrate.argparse.Namespace(**parser_options), BOARD, Console(file=said, width=200)
    )

    assert code == 0
    assert 'not taken: the board is not seen' in said.getvalue()
    views, lens = read_views(tmp_path / 'views', BOARD)
    assert [view.name for view in views] == ['view_1.png']
    assert lens.width_px == rig.rgb.shape[1]
