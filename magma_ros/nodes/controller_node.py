"""Moves the arm: chunks in, twists and gripper goals out, 50 times a second, in its own process.

Nothing here may load torch, mujoco or onnxruntime: the loop shares its process with nobody.
"""

from __future__ import annotations

import gc
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import replace

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node
from std_srvs.srv import Trigger

from magma_ros.data_types import FloatArray, MotionCommand, Twist
from magma_ros.errors import ArmError, ConfigurationError
from magma_ros.motion.arming import CheckResult, check_arming, failed_names, read_waived
from magma_ros.motion.causes import Cause, Severity
from magma_ros.motion.chunk_check import ChunkRules
from magma_ros.motion.emergency_ramp import ramp_down
from magma_ros.motion.modes import ARMED, DESTINATIONS, Mode, Request
from magma_ros.motion.reason_codes import Reason
from magma_ros.nodes.arming_facts import ArmingFactFinder, check_recording_directory
from magma_ros.nodes.control_tick import STALE_COMMAND_S, ControlTick, Inputs
from magma_ros.nodes.controller_inputs import ControllerInputs
from magma_ros.nodes.controller_parameters import ControllerParameters
from magma_ros.nodes.controller_state import (
    describe_checks,
    describe_state,
    gripper_values,
    write_checks,
)
from magma_ros.nodes.joint_guard import make_joint_guard
from magma_ros.nodes.planned_motion import PlannedMotion
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.ros import topics
from magma_ros.ros.deadline_loop import DeadlineLoop
from magma_ros.ros.goal_canceller import GoalCanceller
from magma_ros.ros.gripper_client import GripperClient
from magma_ros.ros.node_process import run_node
from magma_ros.ros.parameters import declare_parameters
from magma_ros.ros.planner_finder import PlannerFinder
from magma_ros.ros.real_time import claim_real_time
from magma_ros.ros.servo_client import ServoClient, cause_of
from magma_ros.ros.servo_finder import ServoFinder
from magma_ros.ros.status_messages import diagnostics_message, heartbeat_message

BRAKE_TIME_S = 0.5  # longest time taken to come to rest before leaving
SWITCH_INTERVAL_S = 0.0005  # the executor's thread must not keep the loop waiting for Python
HEARTBEAT_HZ = 50.0


class ControllerNode(Node):
    """See the table in ``ros/topics.py`` for its topics and services."""

    def __init__(self) -> None:
        super().__init__('controller_node', automatically_declare_parameters_from_overrides=True)
        wanted = declare_parameters(self, ControllerParameters)
        if self.get_parameter('use_sim_time').value and not wanted.simulated:
            raise ConfigurationError(
                'use_sim_time is on, but the arm is not "simulated"; a real arm needs real time'
            )
        check_recording_directory(wanted.recording_directory)
        self._waived = read_waived(wanted.waived_checks)
        profile = load_arm_profile(wanted.arm)
        self._limits, self._period_s = profile.limits, 1.0 / wanted.rate_hz
        self._joints_stop_s = wanted.joints_stop_s
        self._inputs = ControllerInputs(self, profile, wanted)
        self._control = ControlTick(
            ChunkRules(frame_id=profile.base_link, blending=wanted.blending),  # type: ignore[arg-type]
            profile.limits,
            self._period_s,
            replace(
                wanted.thresholds(),
                tracking_m=profile.tracking_m,
                tracking_rad=profile.tracking_rad,
                tracking_stop_s=profile.tracking_s,
            ),
            wanted.rules(),
            make_joint_guard(profile, profile.kinematics()),
            secrets.token_hex(4),
        )
        self._facts = ArmingFactFinder(profile, wanted, self._inputs)
        self._checks: tuple[CheckResult, ...] = ()
        self._servo: ServoClient = ServoFinder(
            self, profile.base_link, self._inputs.foreign_twists.sent
        )
        self._gripper = GripperClient(self, profile)
        self._planners = PlannerFinder(self, profile, self._read_joints, wanted.planner)
        self._planned = PlannedMotion(
            profile,
            self._servo,
            self._read_joints,
            GoalCanceller(self, profile.trajectory_action),
            self.get_logger(),
        )
        self._sent: MotionCommand | None = None
        self._last_twist = Twist.zero()
        self._ticks, self._heartbeat_ticks = 0, max(1, round(wanted.rate_hz / HEARTBEAT_HZ))
        self._shown: object = None  # the mode and reasons published last
        self._states = topics.STATE.publisher(self)
        self._diagnostics = topics.DIAGNOSTICS.publisher(self)
        self._heartbeat = topics.heartbeat_topic(self.get_name()).publisher(self)
        for name, service in topics.OPERATOR_SERVICES.items():
            self.create_service(Trigger, service.name, self._answer_to(Request(name)))
        self.create_timer(0.1, self._on_tenth)
        self.create_timer(0.2, self._publish_state)
        self.create_timer(1.0, self._on_second)
        self._loop = DeadlineLoop('control', self._period_s, self._tick)
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        gc.collect()
        gc.freeze()
        self._loop.start()

    @property
    def has_failed(self) -> bool:
        """Whether the control loop has died."""
        return not self._loop.is_alive

    def close(self) -> None:
        """Brake, and send zero last; without the loop from the last twist alone."""
        try:
            if self._loop.is_alive:
                self._ask(Request.LEAVE)
                deadline_s = time.monotonic() + BRAKE_TIME_S
                while not self._control.is_at_rest and time.monotonic() < deadline_s:
                    time.sleep(0.01)
        finally:  # whatever was wrong with asking
            self._loop.stop()
            self._planned.close()
            for twist in ramp_down(self._last_twist, self._limits, self._period_s):
                self._send(twist)
                time.sleep(self._period_s)
            self._gripper.close()
            self._planners.close()

    # ---------------------------------------------------------------------- in the control thread

    def _tick(self) -> None:
        self._inputs.note_clock(time.monotonic(), self._now_ns())
        began_s = time.monotonic()
        result = self._control.tick(self._read(), began_s, self._now_ns())
        if self._planned.is_running and self._control.state.mode is not Mode.PLANNED:
            self._planned.stop()
        # The arm stands by now if this tick took so long: what it decided on is of another time.
        if result is not None and time.monotonic() - began_s < STALE_COMMAND_S:
            self._send(result.twist)
        self._sent = result
        self._ticks += 1
        if self._ticks % self._heartbeat_ticks == 0:
            stamp_ns = self._now_ns()
            self._inputs.foreign_heartbeats.sent(stamp_ns)
            self._heartbeat.publish(heartbeat_message(self.get_name(), stamp_ns))
        shown = (self._control.state.mode, self._control.reasons)
        if shown != self._shown:
            self._shown = shown
            self._publish_state()

    def _read(self) -> Inputs:
        """From any thread."""
        inputs = self._inputs.read(time.monotonic(), self._now_ns())
        is_running = self._planned.is_running  # looked at first: the end is known before it ends
        return replace(inputs, is_planned_running=is_running, planned_end=self._planned.end)

    def _read_joints(self) -> FloatArray:
        """From any thread; ArmError when they are not of now."""
        inputs = self._read()
        is_old = inputs.joints_age_s > self._joints_stop_s
        if inputs.arm is None or self._inputs.arm.fault or is_old:
            raise ArmError(f'no joint states of now: {self._inputs.arm.fault or "they are old"}')
        return inputs.arm.joint_positions_rad

    def _send(self, twist: Twist) -> None:
        self._servo.send(twist, self._now_ns())
        self._last_twist = twist

    # ------------------------------------------------------------------ in the executor's thread

    def _answer_to(
        self, request: Request
    ) -> Callable[[Trigger.Request, Trigger.Response], Trigger.Response]:
        def answer(_: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
            details = []
            if request is Request.ARM:
                self._look_around()
                details.append(write_checks(self._checks))
            response.success = self._ask(request)
            if response.success:
                details += self._go_on_with(request)
            reasons = [f'{reason.name}: {reason.text}' for reason in self._control.reasons]
            mode = self._control.state.mode.value
            response.message = '; '.join([mode, *reasons, *details])
            self._publish_state()
            return response

        return answer

    def _go_on_with(self, request: Request) -> list[str]:
        """What else a request means once it is granted; what there is to say about it."""
        if request is Request.ARM:
            self._gripper.forget()
            self._inputs.armed_model = self._inputs.model_sha256
        if request not in DESTINATIONS:
            return []
        self._planned.begin(request.value, self._planners.find, self._control.state.since_s)
        return [self._planned.text]

    def _ask(self, request: Request) -> bool:
        return self._control.ask(request, self._read(), time.monotonic())

    def _look_around(self) -> None:
        self._inputs.servo_cause = self._find_servo_cause(self._control.state.mode)
        facts = self._facts.find(self._servo.is_ready, time.monotonic(), self._now_ns())
        self._checks = check_arming(facts, self._waived)
        self._inputs.failed_checks = failed_names(self._checks)

    def _on_tenth(self) -> None:
        self._look_around()
        if self._control.state.mode is Mode.DISARMED:
            self._inputs.armed_model = None
        self._gripper.follow(self._control.gripper_wish)

    def _find_servo_cause(self, mode: Mode) -> Cause | None:
        """What is wrong with Servo; what it says counts while it has commands to judge."""
        if self._planned.is_running:
            return None  # it is paused
        if not self._servo.is_ready:
            return Cause(Reason.SERVO, Severity.HOLD)
        return cause_of(self._servo.status_name) if mode in ARMED else None

    def _on_second(self) -> None:
        self._servo.prepare()
        for status in (self._describe(), describe_checks(self._checks)):
            self._diagnostics.publish(diagnostics_message(status, self._now_ns()))
        if self.count_publishers(topics.TWIST.name) > 1:  # of which some may be dead
            self.get_logger().warning(
                f'somebody else is a publisher of {topics.TWIST.name}; the arm holds as soon as '
                'a command of theirs is heard',
                throttle_duration_sec=30.0,
            )

    def _publish_state(self) -> None:
        self._states.publish(self._describe())

    def _describe(self) -> DiagnosticStatus:
        return describe_state(
            self._control,
            self._sent,
            self._checks,
            self._loop.lateness(),
            self._inputs.arm.fault or self._servo.status_name,
            {
                **gripper_values(self._gripper, self._inputs.arm.state),
                'planned': self._planned.text,
            },
            time.monotonic(),
        )

    def _now_ns(self) -> int:
        return self.get_clock().now().nanoseconds


def main() -> int:
    """Run the controller until SIGINT or SIGTERM."""
    if (advice := claim_real_time()) is not None:
        sys.stderr.write(f'{advice}\n')
    return run_node(ControllerNode)


if __name__ == '__main__':
    sys.exit(main())
