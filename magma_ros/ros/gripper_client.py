"""Sends openings to whatever gripper the arm has, sparingly, and keeps what became of them.

Gripper goals take up to a second, and servos wear out: only open and closed are sent, with the
hysteresis of the gate before (``motion/gripper_gate.py``), and never twice in half a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from rclpy.node import Node

from magma_ros.errors import ConfigurationError
from magma_ros.motion.gripper_gate import CHANGE_S, CLOSED_TO, OPEN_FROM
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.ros.arm_messages import finger_from_opening
from magma_ros.ros.gripper_control_msgs import ParallelGripper, SimpleGripper, TrajectoryGripper
from magma_ros.ros.gripper_franka import FrankaGripper
from magma_ros.ros.gripper_interbotix import InterbotixGripper
from magma_ros.ros.gripper_port import Answer, GripperGoal, GripperPort, GripperReport, Outcome

PORTS: dict[str, Callable[[Node, ArmProfile], GripperPort]] = {
    'parallel_gripper_command': ParallelGripper,
    'gripper_command': SimpleGripper,
    'follow_joint_trajectory': TrajectoryGripper,
    'franka': FrankaGripper,
    'interbotix': InterbotixGripper,
}
PATIENCE_S = 5.0  # beyond the time the travel takes


def make_port(node: Node, profile: ArmProfile) -> GripperPort:
    """The adapter for ``gripper_interface`` of the profile.

    Raises:
        ConfigurationError: there is no such interface; the message lists the valid ones.
        EnvironmentMissing: the vendor's messages are not installed.
    """
    if profile.gripper_interface not in PORTS:
        raise ConfigurationError(
            f'gripper_interface is {profile.gripper_interface!r}; valid: {sorted(PORTS)}'
        )
    return PORTS[profile.gripper_interface](node, profile)


class GripperClient:
    """Follows a wish: call :meth:`follow` about ten times a second.

    Args:
        node: the clients'; its executor delivers the answers.
        profile: of the arm.
        clock: seconds, monotonic.
        port: in the place of the profile's.

    Raises:
        EnvironmentMissing: the vendor's messages are not installed.
    """

    def __init__(
        self,
        node: Node,
        profile: ArmProfile,
        clock: Callable[[], float] = time.monotonic,
        port: GripperPort | None = None,
    ) -> None:
        self._profile, self._clock = profile, clock
        self._port = make_port(node, profile) if port is None else port
        self._sent: float | None = None
        self._sent_s = float('-inf')
        self._report = GripperReport()
        self._number = 0  # of the goal; answers to earlier ones no longer count

    @property
    def is_ready(self) -> bool:
        """Whether there is a gripper."""
        return self._port.is_ready

    @property
    def report(self) -> GripperReport:
        """What became of the newest goal."""
        return self._report

    @property
    def commanded(self) -> float | None:
        """The opening sent last, 1 open or 0 closed; None before any, or since :meth:`forget`."""
        return self._sent

    def follow(self, opening: float | None) -> None:
        """Open from 0.7 on, close up to 0.3, in between leave things as they are.

        None: nothing may be sent now. A new goal replaces the old. One that failed is not repeated
        before the wish changes.
        """
        now_s = self._clock()
        speed_per_s = self._profile.limits.gripper_speed_per_s
        is_late = now_s - self._sent_s > 1.0 / speed_per_s + PATIENCE_S
        if self._report.outcome is Outcome.MOVING and is_late:
            text = f'no result {now_s - self._sent_s:.1f} s after the goal; look at the driver'
            self._number += 1
            self._report = GripperReport(Outcome.TIMED_OUT, text)
        if opening is None:
            return
        wish = 1.0 if opening >= OPEN_FROM else 0.0 if opening <= CLOSED_TO else None
        is_due = now_s - self._sent_s >= CHANGE_S
        if wish is None or wish == self._sent or not is_due or not self.is_ready:
            return
        self._send(wish, now_s, speed_per_s)

    def close(self) -> None:
        """Leave."""
        self._port.close()

    def forget(self) -> None:
        """The gripper may have been moved by somebody else: send the next wish in any case."""
        self._sent = None

    def _send(self, wish: float, now_s: float, speed_per_s: float) -> None:
        travel_m = abs(self._profile.finger_open_m - self._profile.finger_closed_m)
        goal = GripperGoal(
            finger_from_opening(wish, self._profile), wish == 0.0, speed_per_s * travel_m
        )
        self._number += 1
        self._sent, self._sent_s = wish, now_s
        self._report = GripperReport(Outcome.MOVING, f'to {goal.finger_m:.4f} m')
        self._port.send(goal, self._keeper(self._number))

    def _keeper(self, number: int) -> Answer:
        def keep(report: GripperReport) -> None:
            if number == self._number:
                self._report = report

        return keep
