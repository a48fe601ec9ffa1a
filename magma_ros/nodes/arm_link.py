"""Twists and gripper goals for one arm that is being brought up, and what comes of them.

For programs a person runs, not for a control loop: one thread, and whatever is waited for, the
callbacks run in the meantime.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

import rclpy
from rclpy.context import Context

from magma_ros.data_types import Twist
from magma_ros.errors import ArmError
from magma_ros.motion.commissioning.records import Sample
from magma_ros.nodes.arm_listener import ArmListener
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.ros import topics
from magma_ros.ros.foreign_messages import ForeignMessages
from magma_ros.ros.gripper_client import GripperClient
from magma_ros.ros.gripper_port import GripperReport, Outcome
from magma_ros.ros.node_process import make_executor
from magma_ros.ros.process_environment import process_environment
from magma_ros.ros.servo_finder import ServoFinder

PERIOD_S = 0.02
RIVAL_S = 1.0  # since somebody else's twist
BRAKE_S = 0.4  # of zero twists; Servo took 0.38 s to rest from 0.2 m/s (measured)
GRIPPER_S = 10.0  # longest wait for the result of a goal
SERVER_S = 5.0  # and for somebody to take it


class ArmLink:
    """One arm, as long as the ``with`` block lasts; at its end, whatever happened, it brakes.

    Args:
        profile: of the arm.
        domain_id: ROS domain; None keeps the inherited one.

    Raises:
        ConfigurationError: the domain is not possible.
        EnvironmentMissing: the messages of the gripper's vendor are not installed.
    """

    def __init__(self, profile: ArmProfile, domain_id: int | None = None) -> None:
        process_environment(domain_id)  # refuses domains that are not possible
        self.profile = profile
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain_id)
        self._node = rclpy.create_node('magma_arm_check', context=self._context)
        self._executor = make_executor(self._context)
        self._executor.add_node(self._node)
        self.heard = ArmListener(self._node, profile)
        self._servo = ServoFinder(self._node, profile.base_link)
        self._gripper = GripperClient(self._node, profile)
        self._rivals = ForeignMessages(self._node, topics.TWIST, lambda message: message.header)
        self._due_s, self._has_sent = 0.0, False
        self._node.create_timer(1.0, self._on_second)

    def __enter__(self) -> ArmLink:
        """For ``with``."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Brakes if anything was sent, and leaves."""
        try:
            if self._has_sent:
                self.brake()
        finally:
            self._gripper.close()
            self._executor.shutdown()
            self._node.destroy_node()
            rclpy.shutdown(context=self._context)

    @property
    def is_servo_ready(self) -> bool:
        """Whether Servo was found and obeys twists."""
        return self._servo.is_ready

    @property
    def servo_status(self) -> str:
        """What Servo said last."""
        return self._servo.status_name

    @property
    def has_rival(self) -> bool:
        """Whether somebody else commands Servo."""
        return self._rivals.age_s(time.monotonic()) < RIVAL_S

    def listen(self, duration_s: float, is_done: Callable[[], bool] = lambda: False) -> bool:
        """Let messages come in until something is so; whether it became so in time."""
        deadline_s = time.monotonic() + duration_s
        while not is_done():
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                return False
            self._executor.spin_once(min(left_s, 0.05))
            self.heard.read()
        return True

    def exchange(self, twist: Twist | None) -> Sample:
        """Send a twist (None: nothing), wait for the next period, and look at the arm.

        Raises:
            ArmError: the arm must be left alone: joint states are stale, the emergency stop was
                pressed or fell silent, somebody else commands Servo, or Servo is gone.
        """
        if twist is not None:
            self._check_permission()
            self._send(twist)
        now_s = time.monotonic()
        self._due_s = max(self._due_s + PERIOD_S, now_s)
        self.listen(self._due_s - now_s)
        arm, heard = self.heard.arm_state(), self.heard
        return Sample(
            time.monotonic(),
            arm.joint_positions_rad,
            arm.pose_gripper_in_base,
            heard.commanded_rad,
            dict(heard.others_rad),
        )

    def grip(self, opening: float) -> tuple[float, GripperReport]:
        """Open (1) or close (0); where the gripper joint is then (m), and what the driver said.

        Raises:
            ArmError: as :meth:`exchange` does, or there is no gripper.
        """
        if not self.listen(SERVER_S, lambda: self._gripper.is_ready):
            raise ArmError(f'nobody serves {self.profile.gripper_name}; is the gripper running?')
        self._gripper.forget()
        deadline_s, before = time.monotonic() + GRIPPER_S, self._gripper.report
        while time.monotonic() < deadline_s:
            self._check_permission(is_arm_moving=False)
            self._gripper.follow(opening)
            self.listen(0.1)
            report = self._gripper.report
            if report is not before and report.outcome is not Outcome.MOVING:
                break
        self.listen(0.5)  # until joint states show the end
        return self.heard.positions[self.profile.gripper_joint], self._gripper.report

    def brake(self) -> None:
        """Bring the arm to rest, without asking for anything that might refuse."""
        deadline_s = time.monotonic() + BRAKE_S
        while time.monotonic() < deadline_s:
            self._send(Twist.zero())
            self.listen(PERIOD_S)

    def _send(self, twist: Twist) -> None:
        stamp_ns = self._node.get_clock().now().nanoseconds
        self._rivals.sent(stamp_ns)
        self._servo.send(twist, stamp_ns)
        self._has_sent = True

    def _check_permission(self, is_arm_moving: bool = True) -> None:
        heard = self.heard
        heard.arm_state()
        is_estop_needed = not heard.is_simulated or heard.is_estop_heard
        if is_estop_needed and not heard.is_estop_released:
            raise ArmError('the emergency stop was pressed, or /magma/estop fell silent')
        if self.has_rival:
            raise ArmError('somebody else commands Servo; stop that program')
        if is_arm_moving and not self.is_servo_ready:
            raise ArmError(f'Servo does not obey ({self.servo_status}); look at its terminal')

    def _on_second(self) -> None:
        self._servo.prepare()
        self.heard.look_for_other_arms()
