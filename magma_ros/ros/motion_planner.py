"""Planned motion: what a planner must offer, and how Servo and a planner share one arm.

A planner of MoveIt's is behind the actions of move_group (``move_group_client.py``) or, where it
can be imported, moveit_py (``moveit_py_planner.py``); where there is neither, ours is
``joint_space_planner.py``, and ``planner_finder.py`` chooses. All calls but ``stop`` block: make
them from a thread of your own, never from a callback of the node that the executor spins.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
from rclpy.node import Node
from rclpy.task import Future
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory

from magma_ros.data_types import FloatArray, Pose
from magma_ros.errors import ArmError, ConfigurationError
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.robot.moveit_parameters import has_own_drivers
from magma_ros.robot.planning_scene import SceneBox
from magma_ros.ros.arm_messages import joints_from_message
from magma_ros.ros.topic_kinds import ENCODERS

PLANNED_SCALING = 0.5  # of the limits move_group knows
FRESH_S = 0.2  # of joint states that a plan starts from
PAUSE_S = 5.0  # for Servo's ramp and its services
POLL_S = 0.02


class MotionPlanner(Protocol):
    """Plans and executes. All methods block, and raise ArmError when there is no such motion."""

    def plan_to_joints(self, joints_rad: FloatArray) -> JointTrajectory:
        """From where the arm is to these joints, around what is in the planning scene."""

    def plan_to_state(self, name: str) -> JointTrajectory:
        """To a named state of the SRDF, such as ``start``."""

    def plan_to_pose(self, pose_gripper_in_base: Pose) -> JointTrajectory:
        """To a pose of the gripper within the workspace box."""

    def plan_line(self, poses_gripper_in_base: Sequence[Pose]) -> JointTrajectory:
        """In straight lines from where the arm is, through all of these: approach and retreat."""

    def execute(self, trajectory: JointTrajectory) -> None:
        """Execute, after checking it against the profile and where the arm is by now."""

    def stop(self) -> None:
        """Stop what is being executed; from any thread, again and again until it has ended."""

    def apply_scene(self, boxes: Sequence[SceneBox]) -> None:
        """Take note of what stands around the arm."""

    def close(self) -> None:
        """Leave."""


class PausableServo(Protocol):
    """What of a ServoClient is needed here."""

    @property
    def is_paused(self) -> bool:
        """Whether Servo has agreed to be silent."""

    def pause(self) -> None:
        """Bring the arm to rest, then fall silent."""

    def resume(self) -> None:
        """Go on after a pause."""


@contextmanager
def servo_paused(
    servo: PausableServo,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Servo at rest and silent within the ``with`` block, and going on after it in any case.

    Args:
        servo: whose node is spun by another thread.
        clock: seconds, monotonic.
        wait: sleeps.

    Raises:
        ArmError: Servo did not pause in time; nothing may be planned then.
    """
    servo.pause()
    try:
        begun_s = clock()
        while not servo.is_paused:
            if clock() - begun_s > PAUSE_S:
                raise ArmError(
                    f'Servo did not pause within {PAUSE_S:.0f} s: is the node spinning and '
                    'servo_node alive? Two must not command the arm'
                )
            wait(POLL_S)
        yield
    finally:
        servo.resume()


def wait_for_answer(future: Future, timeout_s: float, what: str) -> Any:
    """The result of a future that another thread completes.

    Raises:
        ArmError: it has not come in time.
    """
    done = threading.Event()
    future.add_done_callback(lambda _: done.set())
    if not done.wait(timeout_s):
        raise ArmError(f'{what} did not answer within {timeout_s:.1f} s: look at its log')
    return future.result()


def cancel_when_accepted(sent: Future, also: Callable[[], None] | None = None) -> None:
    """Whoever accepts this goal late must not move the arm; then ``also`` is called, too."""

    def cancel(sent: Future) -> None:
        handle = sent.result()
        if handle is not None and handle.accepted:
            handle.cancel_goal_async()
            if also is not None:
                also()

    sent.add_done_callback(cancel)


class JointReader:
    """The newest joint states, or an error: a plan from where the arm was is dangerous."""

    def __init__(
        self, node: Node, profile: ArmProfile, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._profile, self._clock = profile, clock
        self._lock = threading.Lock()
        self._newest: tuple[float, JointState] | None = None
        node.create_subscription(JointState, profile.joint_states_topic, self._on_joints, ENCODERS)

    def read(self) -> FloatArray:
        """Joint positions (dof,) in the order of the profile.

        Raises:
            ArmError: none were heard lately, or they are not this arm's.
        """
        topic = self._profile.joint_states_topic
        with self._lock:
            newest = self._newest
        if newest is None:
            raise ArmError(f'no joint states on {topic}: start the driver of the arm')
        age_s = self._clock() - newest[0]
        if age_s > FRESH_S:
            raise ArmError(f'the joint states on {topic} are {age_s:.2f} s old: is the driver up?')
        positions = joints_from_message(newest[1], self._profile.joint_names)[0]
        if not np.isfinite(positions).all():
            raise ArmError(f'joint states on {topic} are not finite: {positions.tolist()}')
        return positions

    def _on_joints(self, message: JointState) -> None:
        with self._lock:
            self._newest = (self._clock(), message)


def scalings(profile: ArmProfile) -> tuple[float, float]:
    """Of velocity and acceleration, above 0: MoveIt takes 0 and anything above 1 for 1.0.

    Our own MoveIt files give move_group the speeds of the profile; a vendor's give the hardware's.
    """
    if has_own_drivers(profile.name):
        return PLANNED_SCALING, PLANNED_SCALING
    ratios = np.array(profile.joint_speed_rad_s) / np.array(profile.joint_velocity_rad_s)
    scaling = PLANNED_SCALING * float(ratios.min())
    return scaling, scaling


def tip_pose(pose_gripper_in_base: Pose, profile: ArmProfile) -> Pose:
    """Pose of the profile's tip link whose gripper is at this pose.

    Raises:
        ConfigurationError: the point is outside the workspace box, or not finite.
    """
    place_m, limits = pose_gripper_in_base.translation_m, profile.limits
    low, high = np.array(limits.box_min_m), np.array(limits.box_max_m)
    quaternion = pose_gripper_in_base.quaternion_xyzw
    if not ((low <= place_m) & (place_m <= high)).all() or not np.isfinite(quaternion).all():
        raise ConfigurationError(
            f'the goal {np.round(place_m, 4).tolist()} is outside the workspace box '
            f'{limits.box_min_m} to {limits.box_max_m} (m, {profile.base_link}), or not finite'
        )
    tool = Rotation.from_euler('xyz', profile.tool_rpy_rad)
    return Pose(place_m, (Rotation.from_quat(quaternion) * tool.inv()).as_quat())


def standing_off(pose_gripper_in_base: Pose, distance_m: float) -> Pose:
    """The pose ``distance_m`` back along the gripper's x axis: where an approach begins."""
    turn = Rotation.from_quat(pose_gripper_in_base.quaternion_xyzw)
    back_m = turn.apply([-distance_m, 0.0, 0.0])
    return Pose(pose_gripper_in_base.translation_m + back_m, pose_gripper_in_base.quaternion_xyzw)
