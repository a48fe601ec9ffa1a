"""Executes planned motions for the controller, one at a time, in a thread of its own.

The state machine rules: it grants a motion by entering PLANNED, and the moment it leaves that mode
for whatever reason the control loop calls :meth:`PlannedMotion.stop` in each tick until the motion
has ended. Servo is paused before and goes on after.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
from rclpy.impl.rcutils_logger import RcutilsLogger

from magma_ros.data_types import FloatArray
from magma_ros.errors import ArmError, MagmaError
from magma_ros.motion.modes import PlannedEnd
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.robot.named_states import destination_joints
from magma_ros.robot.planning_scene import load_planning_scene
from magma_ros.ros.motion_planner import MotionPlanner, servo_paused
from magma_ros.ros.servo_client import ServoClient

ARRIVED_RAD = 0.05  # of each joint
SETTLE_S = 2.0  # for the arm to arrive after its trajectory, and for Servo to go on
POLL_S = 0.02


class PlannedMotion:
    """Moves the arm to a destination.

    Args:
        profile: of the arm.
        servo: paused meanwhile; its node is spun by another thread.
        read_joints: where the arm is now.
        logger: of the node.
    """

    def __init__(
        self,
        profile: ArmProfile,
        servo: ServoClient,
        read_joints: Callable[[], FloatArray],
        logger: RcutilsLogger,
    ) -> None:
        self._profile, self._servo = profile, servo
        self._read_joints, self._logger = read_joints, logger
        self._planner: MotionPlanner | None = None
        self._unwanted = threading.Event()
        self._ended = threading.Event()
        self._ended.set()
        self.end: PlannedEnd | None = None  # of the newest motion; None: none, or under way
        self.text = ''  # what is being done, or what became of it

    @property
    def is_running(self) -> bool:
        """Whether the arm, or Servo's pause, is still ours."""
        return not self._ended.is_set()

    def begin(self, destination: str, planner: MotionPlanner, begun_s: float) -> None:
        """Set off; ``begun_s`` is since when the state machine has been in PLANNED."""
        self._planner, self.end = planner, None
        self.text = f'to {destination}'
        self._unwanted.clear()
        self._ended.clear()
        thread = threading.Thread(
            target=self._run, args=(destination, planner, begun_s), name='planned', daemon=True
        )
        thread.start()

    def refuse(self, why: str, begun_s: float) -> None:
        """There is nobody to plan: the motion has ended before it began."""
        self.text, self.end = why, PlannedEnd(begun_s, has_arrived=False)

    def stop(self) -> None:
        """End it at once; from any thread, again and again as long as :attr:`is_running`."""
        self._unwanted.set()
        if self._planner is not None:
            self._planner.stop()

    def _run(self, destination: str, planner: MotionPlanner, begun_s: float) -> None:
        has_arrived = False
        try:
            with servo_paused(self._servo, wait=self._wait):
                self._move(destination, planner)
            has_arrived = True
            self.text = f'arrived at {destination}'
        except MagmaError as error:
            self.text = str(error)
            self._logger.error(f'{destination}: {error}')
        finally:
            self._give_back_to_servo()
            self.end = PlannedEnd(begun_s, has_arrived)
            self._ended.set()

    def _move(self, destination: str, planner: MotionPlanner) -> None:
        goal_rad = destination_joints(self._profile, destination)
        planner.apply_scene(load_planning_scene(self._profile))
        trajectory = planner.plan_to_joints(goal_rad)
        self._wait(0.0)
        planner.execute(trajectory)

        deadline_s = time.monotonic() + SETTLE_S
        while float(np.abs(self._read_joints() - goal_rad).max()) > ARRIVED_RAD:
            if time.monotonic() > deadline_s:
                raise ArmError(f'the arm is not at {destination} though its trajectory is over')
            self._wait(POLL_S)

    def _give_back_to_servo(self) -> None:
        """Wait until it goes on; if it does not, that is a fault of Servo's."""
        deadline_s = time.monotonic() + SETTLE_S
        while not self._servo.is_ready and time.monotonic() < deadline_s:
            time.sleep(POLL_S)

    def _wait(self, duration_s: float) -> None:
        if self._unwanted.wait(duration_s):
            raise ArmError('the planned motion is no longer wanted')
