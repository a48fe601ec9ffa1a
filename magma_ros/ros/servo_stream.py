"""What the adapters of both Servos share: streaming, and an orderly way to pause and to switch.

Servo cuts its output at full speed when it is paused or switched (measured), so zero twists, or
the last pose again and again, bring the arm to rest first.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from rclpy.node import Node
from rclpy.task import Future

from magma_ros.data_types import Pose, Twist
from magma_ros.motion.reason_codes import Reason
from magma_ros.ros.arm_messages import twist_to_message
from magma_ros.ros.servo_client import (
    SILENCE_S,
    SILENT,
    CommandMode,
    NoteStamp,
    ignore_stamp,
    reason_of,
)
from magma_ros.ros.topics import TWIST

PERIOD_S = 0.02
RAMP_TICKS = 20  # 0.4 s: from 0.2 m/s Servo took 0.38 s to rest (measured)
ANSWER_S = 3.0  # a service that takes longer was asked of a Servo that has died

Step = Callable[[], Future]


@dataclass(frozen=True)
class ServoState:
    """What Servo has been asked to be."""

    mode: CommandMode = CommandMode.TWIST
    is_paused: bool = False


class ServoStream:
    """A Servo in twist mode. Adapters say which services bring it into a state.

    Args:
        node: publishes and calls.
        base_link: whose axes twists are in.
        note_stamp: is told the stamp of each twist before it is sent.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        node: Node,
        base_link: str,
        note_stamp: NoteStamp = ignore_stamp,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._node, self._base_link = node, base_link
        self._note_stamp, self._clock = note_stamp, clock
        self._twists = TWIST.publisher(node)
        self._wanted = ServoState()
        self._actual: ServoState | None = None  # None until Servo has agreed to one
        self._asked = self._wanted
        self._steps: list[Step] = []
        self._answer: Future | None = None
        self._may_ask, self._ramp_ticks = False, 0
        self._status_name = SILENT
        self._heard_s = float('-inf')  # the newest status
        self._asked_s = float('-inf')  # for something, or agreed on it
        node.create_timer(PERIOD_S, self._on_tick)

    @property
    def is_ready(self) -> bool:
        """Whether Servo has agreed to what is wanted, is not paused, and still speaks."""
        is_heard = self._clock() - self._heard_s <= SILENCE_S
        return self._may_send and is_heard and self._is_there()

    @property
    def is_paused(self) -> bool:
        """Whether Servo has agreed to publish nothing."""
        return self._actual is not None and self._actual.is_paused

    @property
    def status_name(self) -> str:
        """The status last heard, by its name."""
        return self._status_name

    @property
    def reason(self) -> Reason | None:
        """What the status means to us."""
        return reason_of(self._status_name)

    def prepare(self) -> None:
        """Ask again, and begin anew whenever Servo has come back."""
        if not self._is_there() or self._has_gone():
            self._actual, self._answer, self._steps = None, None, []
        self._may_ask = True

    def send(self, twist: Twist, stamp_ns: int) -> None:
        """Publish the twist; the stamp must be of now, Servo obeys stamps from the future."""
        if self._may_send and self._wanted.mode is CommandMode.TWIST:
            self._publish(twist, stamp_ns)

    def send_pose(self, goal: Pose, measured: Pose, stamp_ns: int) -> None:
        """No poses here: nothing is sent."""

    def select(self, mode: CommandMode) -> None:
        """Change what is streamed."""
        self._wanted = replace(self._wanted, mode=mode)

    def pause(self) -> None:
        """Come to rest and fall silent."""
        self._wanted = replace(self._wanted, is_paused=True)

    def resume(self) -> None:
        """Go on."""
        self._wanted = replace(self._wanted, is_paused=False)

    # ------------------------------------------------------------------------ for the adapters

    def _is_there(self) -> bool:
        """Whether all services of this Servo are offered."""
        raise NotImplementedError

    def _steps_to(self, state: ServoState) -> list[Step]:
        """Calls, in order, that bring Servo into the state; their answers have ``success``."""
        raise NotImplementedError

    def _send_rest(self, mode: CommandMode, stamp_ns: int) -> None:
        """A command that brings the arm to rest."""
        self._publish(Twist.zero(), stamp_ns)

    def _note_status(self, name: str) -> None:
        """Call with each status; while not paused Servo sends one in every loop."""
        self._status_name, self._heard_s = name, self._clock()

    # -------------------------------------------------------------------------------- in between

    def _has_gone(self) -> bool:
        """Whether this is not the Servo that agreed: one that was started anew obeys nothing."""
        now_s = self._clock()
        if self._answer is not None:
            return now_s - self._asked_s > ANSWER_S
        is_silent = now_s - max(self._heard_s, self._asked_s) > SILENCE_S
        return self._actual is not None and not self._actual.is_paused and is_silent

    def _publish(self, twist: Twist, stamp_ns: int) -> None:
        self._note_stamp(stamp_ns)
        self._twists.publish(twist_to_message(twist, stamp_ns, self._base_link))

    @property
    def _may_send(self) -> bool:
        return self._actual == self._wanted and not self._wanted.is_paused

    def _on_tick(self) -> None:
        if self._answer is not None or not self._may_ask or not self._is_there():
            return
        if self._steps:
            self._ask(self._steps[0])
        elif self._actual != self._wanted:
            self._leave(self._actual)
        else:
            self._ramp_ticks = 0  # a pause that was taken back: the next one ramps in full

    def _leave(self, actual: ServoState | None) -> None:
        if actual is not None and not actual.is_paused and self._ramp_ticks < RAMP_TICKS:
            self._ramp_ticks += 1
            self._send_rest(actual.mode, self._node.get_clock().now().nanoseconds)
            return
        self._ramp_ticks, self._actual = 0, None
        self._asked, self._steps = self._wanted, self._steps_to(self._wanted)

    def _ask(self, step: Step) -> None:
        self._answer, self._asked_s = step(), self._clock()
        self._answer.add_done_callback(self._on_answer)

    def _on_answer(self, answer: Future) -> None:
        if answer is not self._answer:
            return  # of a Servo that is gone
        self._answer = None
        response = answer.result()
        if response is None or not response.success:
            self._steps, self._may_ask = [], False  # until the next prepare()
            return
        self._steps.pop(0)
        if not self._steps:
            self._actual, self._asked_s = self._asked, self._clock()
