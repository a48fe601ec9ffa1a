"""When requests to cancel are sent, and which answers count: an injected clock, a fake client."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy')

from action_msgs.srv import CancelGoal  # noqa: E402
from rclpy.task import Future  # noqa: E402

from magma_ros.ros.goal_canceller import RESEND_S, UNANSWERED, GoalCanceller  # noqa: E402

pytestmark = pytest.mark.ros


class Rig:
    """Node, client and clock in one."""

    def __init__(self) -> None:
        self.now_s, self.is_there, self.names = 10.0, True, []
        self.requests: list[CancelGoal.Request] = []
        self.waiting: list[Future] = []
        self.goals = GoalCanceller(self, '/arm/follow', lambda: self.now_s)  # type: ignore[arg-type]

    def create_client(self, kind: type, name: str) -> Rig:
        self.names.append(name)
        assert kind is CancelGoal
        return self

    def service_is_ready(self) -> bool:
        return self.is_there

    def call_async(self, request: CancelGoal.Request) -> Future:
        self.requests.append(request)
        self.waiting.append(Future())
        return self.waiting[-1]

    def remove_pending_request(self, future: Future) -> None:
        self.waiting.remove(future)

    def ask(self, seconds: float) -> None:
        """As the control loop does: 50 times a second."""
        for _ in range(round(seconds * 50)):
            self.goals.cancel_all()
            self.now_s += 0.02


def answer(code: int) -> CancelGoal.Response:
    return CancelGoal.Response(return_code=code)


def test_all_goals_are_meant_and_asked_for_again_and_again() -> None:
    rig = Rig()
    rig.ask(1.0)

    assert rig.names == ['/arm/follow/_action/cancel_goal']
    assert 0.8 / RESEND_S < len(rig.requests) <= 1.0 / RESEND_S
    assert all(request == CancelGoal.Request() for request in rig.requests)
    assert len(rig.waiting) == UNANSWERED, 'nobody answers, and memory has an end'
    assert not rig.goals.has_agreed


def test_nothing_is_sent_to_nobody() -> None:
    rig = Rig()
    rig.is_there = False
    rig.ask(1.0)
    assert not rig.requests
    rig.is_there = True
    rig.ask(0.02)
    assert len(rig.requests) == 1


@pytest.mark.parametrize(
    ('code', 'counts'),
    [
        (CancelGoal.Response.ERROR_NONE, True),
        (CancelGoal.Response.ERROR_UNKNOWN_GOAL_ID, True),
        (CancelGoal.Response.ERROR_GOAL_TERMINATED, True),
        (CancelGoal.Response.ERROR_REJECTED, False),
    ],
)
def test_an_answer_counts_unless_it_is_no_also_a_late_one(code: int, counts: bool) -> None:
    rig = Rig()
    rig.ask(0.3)
    rig.waiting[0].set_result(answer(code))

    assert rig.goals.has_agreed is counts


def test_what_was_agreed_to_before_does_not_count() -> None:
    rig = Rig()
    rig.ask(0.02)
    late = rig.waiting[0]
    rig.goals.forget()
    late.set_result(answer(CancelGoal.Response.ERROR_NONE))

    assert not rig.goals.has_agreed
    rig.ask(0.02)
    assert len(rig.requests) == 2, 'and the next request goes out at once'
