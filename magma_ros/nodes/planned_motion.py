"""Executes planned motions for the controller, one at a time, in a thread of its own.

The state machine rules: it grants a motion by entering PLANNED, and the moment it leaves that mode
for whatever reason the control loop calls :meth:`PlannedMotion.stop` in each tick until the motion
has ended. Servo is paused before and goes on after.

Stopping does not rely on the planner: all goals of the arm's trajectory controller are cancelled,
too, since a move_group that is dead or hangs leaves the arm on its way.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

import numpy as np
from rclpy.impl.rcutils_logger import RcutilsLogger

from magma_ros.data_types import FloatArray
from magma_ros.errors import ArmError, MagmaError
from magma_ros.motion.modes import PlannedEnd
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.robot.named_states import destination_joints
from magma_ros.robot.planning_scene import load_planning_scene
from magma_ros.ros.goal_canceller import RESEND_S, GoalCanceller
from magma_ros.ros.motion_planner import MotionPlanner, servo_paused
from magma_ros.ros.servo_client import ServoClient

ARRIVED_RAD = 0.05  # of each joint
SETTLE_S = 2.0  # for the arm to arrive after its trajectory, and for Servo to go on
POLL_S = 0.02
LAST_REQUESTS = 3  # to cancel, while leaving


class PlannedMotion:
    """Moves the arm to a destination.

    Args:
        profile: of the arm.
        servo: paused meanwhile; its node is spun by another thread.
        read_joints: where the arm is now.
        goals: of the arm's trajectory controller.
        logger: of the node.
    """

    def __init__(
        self,
        profile: ArmProfile,
        servo: ServoClient,
        read_joints: Callable[[], FloatArray],
        goals: GoalCanceller,
        logger: RcutilsLogger,
    ) -> None:
        self._profile, self._servo, self._goals = profile, servo, goals
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

    def begin(
        self, destination: str, find_planner: Callable[[], MotionPlanner], begun_s: float
    ) -> None:
        """Set off; without a planner the motion has ended before it began.

        Args:
            destination: one of the operator's.
            find_planner: called at once.
            begun_s: since when the state machine has been in PLANNED.
        """
        try:
            planner = find_planner()
        except Exception as error:  # whatever it is: the controller has an arm to hold
            self.text = str(error) if isinstance(error, MagmaError) else repr(error)
            self._logger.error(f'{destination}: {self.text}')
            self.end = PlannedEnd(begun_s, has_arrived=False)
            return
        self._planner, self.end = planner, None
        self.text = f'to {destination}'
        self._unwanted.clear()
        self._ended.clear()
        thread = threading.Thread(
            target=self._run, args=(destination, planner, begun_s), name='planned', daemon=True
        )
        thread.start()

    def stop(self) -> None:
        """End it at once; from any thread, again and again as long as :attr:`is_running`."""
        self._unwanted.set()
        if self.is_running and self._planner is not None:
            self._goals.cancel_all()  # first: whatever becomes of the planner
            self._planner.stop()

    def close(self) -> None:
        """End it though answers do not come any more: a goal may have been sent just now."""
        for _ in range(LAST_REQUESTS):
            if not self.is_running:
                return
            self.stop()
            time.sleep(RESEND_S)

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
        with ExitStack() as unless_done:
            unless_done.callback(self._cancel_all)
            planner.execute(trajectory)
            unless_done.pop_all()

        deadline_s = time.monotonic() + SETTLE_S
        while float(np.abs(self._read_joints() - goal_rad).max()) > ARRIVED_RAD:
            if time.monotonic() > deadline_s:
                raise ArmError(f'the arm is not at {destination} though its trajectory is over')
            self._wait(POLL_S)

    def _cancel_all(self) -> None:
        """Wait until the trajectory controller says that nothing goes on, or is there no more."""
        self._goals.forget()
        deadline_s = time.monotonic() + SETTLE_S
        while not self._goals.has_agreed and time.monotonic() < deadline_s:
            self._goals.cancel_all()
            if self._goals.is_there:
                deadline_s = time.monotonic() + SETTLE_S
            time.sleep(POLL_S)

    def _give_back_to_servo(self) -> None:
        """Wait until it goes on; if it does not, that is a fault of Servo's."""
        deadline_s = time.monotonic() + SETTLE_S
        while not self._servo.is_ready and time.monotonic() < deadline_s:
            time.sleep(POLL_S)

    def _wait(self, duration_s: float) -> None:
        if self._unwanted.wait(duration_s):
            raise ArmError('the planned motion is no longer wanted')
