"""ROS 2 Humble has neither ServoStatus nor ServoCommandType nor ParallelGripperCommand."""

import subprocess

import pytest

pytest.importorskip('rclpy')

pytestmark = pytest.mark.ros


def test_everything_is_imported_and_humbles_servo_found_without_what_came_later(start_program):
    process = start_program('as_on_humble.py', stdout=subprocess.PIPE, text=True)

    said, _ = process.communicate(timeout=240)

    assert process.returncode == 0
    assert 'has no moveit_msgs/msg/ServoStatus (Humble has none)' in said
    assert 'has no control_msgs/action/ParallelGripperCommand' in said
