"""Moves the arm: chunks in, twists and gripper goals out, 50 times a second, in its own process.

Nothing here may load torch, mujoco or onnxruntime: the loop shares its process with nobody.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node
from std_srvs.srv import Trigger

from magma_ros.data_types import MotionCommand, Twist
from magma_ros.motion.state_machine import HoldRules, Request
from magma_ros.motion.watchdog import WatchdogThresholds
from magma_ros.nodes.control_tick import ControlTick
from magma_ros.nodes.controller_inputs import ControllerInputs
from magma_ros.nodes.controller_state import describe_state
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.ros import topics
from magma_ros.ros.deadline_loop import DeadlineLoop
from magma_ros.ros.gripper_client import GripperClient
from magma_ros.ros.node_process import run_node
from magma_ros.ros.parameters import declare_parameters, parameter
from magma_ros.ros.servo_client import ServoClient, TwistServoClient
from magma_ros.ros.status_messages import diagnostics_message, heartbeat_message

BRAKE_TIME_S = 0.5  # longest time taken to come to rest before leaving
SWITCH_INTERVAL_S = 0.0005  # the executor's thread must not keep the loop waiting for Python


@dataclass(frozen=True)
class ControllerParameters:
    """Defaults are for hardware (docs/safety.md)."""

    arm: str = parameter('wx250s', 'arm profile, a file of config/arms')
    rate_hz: float = parameter(50.0, 'of the control loop', 'Hz', 10.0, 500.0)
    auto_resume: bool = parameter(False, 'leave HOLD without the operator when all is well again')
    require_estop: bool = parameter(False, 'an emergency stop must be heard, or the arm stops')
    joints_hold_s: float = parameter(0.05, 'age of joint states that holds', 's', 0.01, 1.0)
    joints_stop_s: float = parameter(0.10, 'age of joint states that stops', 's', 0.02, 2.0)
    perception_hold_s: float = parameter(0.5, 'silence of perception that holds', 's', 0.2, 5.0)


class ControllerNode(Node):
    """See the table in ``ros/topics.py`` for its topics and services."""

    def __init__(self) -> None:
        super().__init__('controller_node', automatically_declare_parameters_from_overrides=True)
        wanted = declare_parameters(self, ControllerParameters)
        profile = load_arm_profile(wanted.arm)
        period_s = 1.0 / wanted.rate_hz
        self._control = ControlTick(
            profile.base_link,
            profile.limits,
            period_s,
            WatchdogThresholds(
                joints_hold_s=wanted.joints_hold_s, joints_stop_s=wanted.joints_stop_s
            ),
            HoldRules(may_resume=wanted.auto_resume),
        )
        self._inputs = ControllerInputs(
            self, profile, wanted.perception_hold_s, wanted.require_estop
        )
        self._servo: ServoClient = TwistServoClient(self, profile.base_link)
        self._gripper = GripperClient(self, profile)
        self._sent: MotionCommand | None = None
        self._shown: object = None  # the mode and reasons published last
        self._states = topics.STATE.publisher(self)
        self._diagnostics = topics.DIAGNOSTICS.publisher(self)
        self._heartbeat = topics.heartbeat_topic(self.get_name()).publisher(self)
        for name, service in topics.OPERATOR_SERVICES.items():
            self.create_service(Trigger, service.name, self._answer_to(Request(name)))
        self.create_timer(0.1, self._on_tenth)
        self.create_timer(0.2, self._publish_state)
        self.create_timer(1.0, self._on_second)
        self._loop = DeadlineLoop('control', period_s, self._tick)
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        gc.collect()
        gc.freeze()
        self._loop.start()

    @property
    def has_failed(self) -> bool:
        """Whether the control loop has died."""
        return not self._loop.is_alive

    def close(self) -> None:
        """Brake, and send zero last."""
        self._control.is_leaving = True
        deadline_s = time.monotonic() + BRAKE_TIME_S
        while not self._control.is_at_rest and time.monotonic() < deadline_s:
            time.sleep(0.01)
        self._loop.stop()
        self._servo.send(Twist.zero(), self._now_ns())
        self._gripper.close()

    def _tick(self) -> None:
        """In the control thread."""
        inputs = self._inputs.read(time.monotonic(), self._now_ns())
        result = self._control.tick(inputs, time.monotonic(), self._now_ns())
        if result is not None:
            self._servo.send(result.twist, self._now_ns())
        self._sent = result
        shown = (self._control.state.mode, self._control.reasons)
        if shown != self._shown:
            self._shown = shown
            self._publish_state()

    # ------------------------------------------------------------------ in the executor's thread

    def _answer_to(
        self, request: Request
    ) -> Callable[[Trigger.Request, Trigger.Response], Trigger.Response]:
        def answer(_: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
            if request is Request.ARM and not self._servo.is_ready:
                response.message = 'Servo does not answer; start servo_node or the stand-in'
                return response
            if request is Request.ARM:
                self._gripper.forget()
            inputs = self._inputs.read(time.monotonic(), self._now_ns())
            response.success = self._control.ask(request, inputs, time.monotonic())
            reasons = [f'{reason.name}: {reason.text}' for reason in self._control.reasons]
            response.message = '; '.join([self._control.state.mode.value, *reasons])
            self._publish_state()
            return response

        return answer

    def _on_tenth(self) -> None:
        if self._loop.is_alive:
            self._heartbeat.publish(heartbeat_message(self.get_name(), self._now_ns()))
        if self._sent is not None:
            self._gripper.follow(self._sent.gripper_opening)

    def _on_second(self) -> None:
        self._servo.prepare()
        self._diagnostics.publish(diagnostics_message(self._describe(), self._now_ns()))

    def _publish_state(self) -> None:
        self._states.publish(self._describe())

    def _describe(self) -> DiagnosticStatus:
        return describe_state(
            self._control,
            self._sent,
            {'chunk_age_s': self._control.chunk_age_s(time.monotonic())},
            self._loop.lateness(),
            self._inputs.arm_fault or self._servo.status_name,
        )

    def _now_ns(self) -> int:
        return self.get_clock().now().nanoseconds


def main() -> int:
    """Run the controller until SIGINT or SIGTERM."""
    return run_node(ControllerNode)


if __name__ == '__main__':
    sys.exit(main())
