"""Watches the other processes and demands a stop when one is silent; in a process of its own.

It can only lower: what it publishes are causes to hold or to stop, and all it asks of anyone is to
cancel what a silent controller has left running. It loads no torch, no simulator and no numerical
code, so nothing of theirs can keep it waiting. Its own silence is watched by the controller.
"""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass

from rclpy.node import Node
from std_msgs.msg import Bool

from magma_ros.motion.causes import Cause, Severity
from magma_ros.motion.reason_codes import Reason
from magma_ros.motion.supervision import (
    ESTOP_PRESS_S,
    Demands,
    Watch,
    find_silences,
    write_causes,
)
from magma_ros.ros import topics
from magma_ros.ros.goal_canceller import GoalCanceller
from magma_ros.ros.node_process import run_node
from magma_ros.ros.parameters import declare_parameters, parameter
from magma_ros.ros.real_time import claim_real_time
from magma_ros.ros.status_messages import ERROR, OK, heartbeat_message, status_message

PERIOD_S = 0.05


@dataclass(frozen=True)
class SupervisorParameters:
    """Nothing set is the safest there is: everything that can be watched without asking is."""

    controller_hold_s: float = parameter(0.1, 'silence of the controller: hold', 's', 0.05, 5.0)
    controller_stop_s: float = parameter(0.2, 'silence of the controller: stop', 's', 0.1, 10.0)
    require_perception: bool = parameter(True, 'perception must be heard')
    perception_hold_s: float = parameter(0.5, 'silence of perception that holds', 's', 0.2, 5.0)
    require_estop: bool = parameter(True, 'the emergency stop must be heard, before the first too')
    estop_s: float = parameter(0.3, 'silence of the emergency stop that stops', 's', 0.15, 2.0)
    require_recorder: bool = parameter(False, 'a recorder must be heard')
    recorder_hold_s: float = parameter(1.0, 'silence of the recorder that holds', 's', 0.3, 10.0)
    require_operator: bool = parameter(False, 'the program of the operator must be heard')
    operator_hold_s: float = parameter(1.0, 'silence of that program: hold', 's', 0.3, 10.0)

    def watches(self) -> tuple[Watch, ...]:
        """What is watched, and for how long it may be silent."""
        wanted = [
            Watch(Reason.HEARTBEAT_CONTROLLER, self.controller_hold_s, self.controller_stop_s)
        ]
        if self.require_perception:
            wanted.append(Watch(Reason.HEARTBEAT_PERCEPTION, self.perception_hold_s))
        if self.require_recorder:
            wanted.append(Watch(Reason.HEARTBEAT_RECORDER, self.recorder_hold_s))
        if self.require_operator:
            wanted.append(Watch(Reason.HEARTBEAT_OPERATOR, self.operator_hold_s))
        if self.require_estop:
            wanted.append(Watch(Reason.ESTOP, None, estop_s=self.estop_s))
        return tuple(wanted)


HEARTBEATS = {
    Reason.HEARTBEAT_CONTROLLER: 'controller_node',
    Reason.HEARTBEAT_PERCEPTION: 'perception_node',
    Reason.HEARTBEAT_RECORDER: 'recorder_node',
    Reason.HEARTBEAT_OPERATOR: 'operator',
}


class SupervisorNode(Node):
    """See the table in ``ros/topics.py`` for its topics."""

    def __init__(self) -> None:
        super().__init__('supervisor_node', automatically_declare_parameters_from_overrides=True)
        self._watches = declare_parameters(self, SupervisorParameters).watches()
        self._heard_s: dict[Reason, float] = {}
        self._is_estop_pressed, self._estop_pressed_s = False, -math.inf
        self._demands = Demands()
        self._planned = GoalCanceller(self, topics.FOLLOW_TRAJECTORY.name)
        for watch in self._watches:
            if watch.reason in HEARTBEATS:
                self._listen(watch.reason)
        topics.ESTOP.subscribe(self, self._on_estop)
        self._state = topics.SUPERVISION.publisher(self)
        self._heartbeat = topics.heartbeat_topic(self.get_name()).publisher(self)
        self.create_timer(PERIOD_S, self._on_period)

    @property
    def has_failed(self) -> bool:
        """Nothing runs beside the executor; an exception there ends the process."""
        return False

    def close(self) -> None:
        """Nothing to end: the controller notices the silence, and that is right."""

    def _listen(self, reason: Reason) -> None:
        def note(_: object) -> None:
            self._heard_s[reason] = time.monotonic()

        topics.heartbeat_topic(HEARTBEATS[reason]).subscribe(self, note)

    def _on_estop(self, message: Bool) -> None:
        self._heard_s[Reason.ESTOP] = time.monotonic()
        self._is_estop_pressed = not message.data
        if self._is_estop_pressed:
            self._estop_pressed_s = time.monotonic()

    def _on_period(self) -> None:
        now_s = time.monotonic()
        ages_s = {reason: now_s - heard_s for reason, heard_s in self._heard_s.items()}
        causes = find_silences(ages_s, self._watches)
        if self._is_estop_pressed or now_s - self._estop_pressed_s < ESTOP_PRESS_S:
            causes = (*causes, Cause(Reason.ESTOP, Severity.ESTOP))
        self._cancel_planned(causes)
        self._demands = self._demands.renew(causes, now_s)
        demands = self._demands.causes
        text = '; '.join(cause.reason.text for cause in demands) or 'all is well'
        values = {'demands': write_causes(demands)}
        level = ERROR if demands else OK
        self._state.publish(status_message('supervisor', text, values, level))
        now_ns = self.get_clock().now().nanoseconds
        self._heartbeat.publish(heartbeat_message(self.get_name(), now_ns))

    def _cancel_planned(self, causes: tuple[Cause, ...]) -> None:
        """Servo stops when its controller dies; a planned motion would go on to its end."""
        is_lost = Cause(Reason.HEARTBEAT_CONTROLLER, Severity.STOP) in causes
        if not (is_lost and Reason.HEARTBEAT_CONTROLLER in self._heard_s):
            self._planned.forget()
        elif not self._planned.has_agreed:
            self._planned.cancel_all()


def main() -> int:
    """Run the supervisor until SIGINT or SIGTERM."""
    if (advice := claim_real_time()) is not None:
        sys.stderr.write(f'{advice}\n')
    return run_node(SupervisorNode)


if __name__ == '__main__':
    sys.exit(main())
