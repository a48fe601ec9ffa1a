"""What a gripper driver must offer, what became of a command, and how an action of one is used."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.node import Node

GRASP_FORCE_N = 20.0  # docs/safety.md; the Franka Hand holds with up to 70


class Outcome(enum.Enum):
    """What became of the last command."""

    NONE = 'nothing was sent'
    MOVING = 'under way'
    REACHED = 'the fingers are where they should be'
    GRASPED = 'the fingers stopped at something'
    FAILED = 'the fingers are somewhere else'
    REJECTED = 'the driver refused'
    TIMED_OUT = 'the driver did not answer in time'


@dataclass(frozen=True)
class GripperReport:
    """The outcome, and in one sentence what the driver said about it."""

    outcome: Outcome = Outcome.NONE
    text: str = ''


Answer = Callable[[GripperReport], None]


@dataclass(frozen=True)
class GripperGoal:
    """Where the fingers shall go."""

    finger_m: float  # position of the gripper joint
    is_closing: bool
    speed_m_s: float  # of that joint


class GripperPort(Protocol):
    """One kind of gripper driver."""

    @property
    def is_ready(self) -> bool:
        """Whether the driver is there."""

    def send(self, goal: GripperGoal, answer: Answer) -> None:
        """Send a goal, which replaces the one before; ``answer`` is called from the executor."""

    def close(self) -> None:
        """Leave; nodes do not destroy action clients, which then keep the node's memory."""


def judge(is_closing: bool, reached: bool, stalled: bool, text: str) -> GripperReport:
    """An outcome from what drivers tell: fingers that stall while closing hold something."""
    if reached:
        return GripperReport(Outcome.REACHED, text)
    if stalled and is_closing:
        return GripperReport(Outcome.GRASPED, text)
    why = 'something blocks the opening fingers' if stalled else 'neither there nor stalled'
    return GripperReport(Outcome.FAILED, f'{why}; {text}')


class GripperAction:
    """Sends goals of one action and passes on whatever becomes of them.

    Args:
        node: the client's.
        kind: action type.
        name: of the action.
    """

    def __init__(self, node: Node, kind: Any, name: str) -> None:
        self._name = name
        self._client: ActionClient = ActionClient(node, kind, name)

    @property
    def is_ready(self) -> bool:
        """Whether the server is there."""
        return self._client.server_is_ready()

    def send(
        self,
        goal: Any,
        read: Callable[[Any], GripperReport],
        answer: Answer,
        on_feedback: Callable[[Any], None] | None = None,
    ) -> None:
        """Send a goal; ``read`` judges the result whether the server calls it success or not."""

        def on_accepted(future: Any) -> None:
            handle = future.result()
            if handle is None or not handle.accepted:
                answer(GripperReport(Outcome.REJECTED, f'{self._name} refused the goal'))
            else:
                handle.get_result_async().add_done_callback(on_result)

        def on_result(future: Any) -> None:
            response = future.result()
            if response is None or response.status == GoalStatus.STATUS_CANCELED:
                answer(GripperReport(Outcome.FAILED, f'{self._name} cancelled the goal'))
            else:
                answer(read(response.result))

        sent = self._client.send_goal_async(goal, feedback_callback=on_feedback)
        sent.add_done_callback(on_accepted)

    def close(self) -> None:
        """Leave."""
        self._client.destroy()
