"""A simulated operator with a stick in the hand: drives the real nodes through teleop."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from magma_ros.data_types import FloatArray, Twist
from magma_ros.evaluation.sessions.conditions import SimulatedOperator
from magma_ros.evaluation.sessions.simulated_operator import gesture
from magma_ros.pipeline import POLICY_PERIOD_S
from magma_ros.sim.tasks import Task, Truth

SEND_S = 0.04  # between two messages; teleop_node takes 0.2 s of silence for a release
FASTEST_M_S, FASTEST_RAD_S = 0.14, 0.7  # config/teleop/twist.yaml refuses 0.15 and 0.8
SETTLE_S = 0.15  # after a movement, before the next look
WITH_RIGHTS = ('policy', 'teleop')  # a hand takes over from a policy that stands still


class SimulatedDriver:
    """Looks, moves the stick a moment later, waits for what comes of it. Time is an argument.

    One movement after the other, as people do whose eyes are later than the arm: whoever steered
    all the time by what was there a moment ago would swing about the goal.

    Args:
        hold: sends the stick's velocity and the gripper's opening, which is holding the switch.
    """

    def __init__(self, hold: Callable[[Twist, float], None]) -> None:
        self._hold = hold
        self._operator: SimulatedOperator | None = None

    def begin(self, operator: SimulatedOperator, task: Task, seed: int) -> None:
        """Drive from the moment on in which somebody has the right to."""
        self._operator, self._task = operator, task
        self._random = np.random.default_rng((seed, 5))
        self._has_begun = False
        self._next_look_s = self._next_send_s = 0.0
        self._moves_s = (0.0, 0.0)  # from when to when
        self._twist, self._opening, self._wanted_opening = Twist.zero(), 1.0, 1.0

    def end(self) -> None:
        """Let go."""
        self._operator = None

    def tick(self, mode: str, outcome: Mapping[str, str], now_s: float) -> None:
        """Look and move, if it is time; call it often.

        Args:
            mode: of the controller.
            outcome: what the simulation says, see ``nodes/sim_scenario.py``.
            now_s: on any clock that does not jump.
        """
        may_drive = mode in WITH_RIGHTS or (self._operator and self._has_begun and mode == 'ready')
        if self._operator is None or not may_drive or 'tool_rpy_rad' not in outcome:
            return
        self._has_begun = True
        if now_s >= self._next_look_s:
            self._look(self._operator, truth_from(outcome), now_s)
        if now_s >= self._next_send_s:
            self._next_send_s = now_s + SEND_S
            start_s, end_s = self._moves_s
            if now_s >= start_s:
                self._opening = self._wanted_opening
            is_moving = start_s <= now_s < end_s
            self._hold(self._twist if is_moving else Twist.zero(), self._opening)

    def _look(self, operator: SimulatedOperator, truth: Truth, now_s: float) -> None:
        start_s = now_s + operator.delay_s
        self._moves_s = (start_s, start_s + POLICY_PERIOD_S)
        self._next_look_s = start_s + POLICY_PERIOD_S + SETTLE_S
        delta = gesture(operator, self._task, truth, self._random)
        if delta is None:  # the hand rests
            self._twist = Twist.zero()
            return
        self._twist = Twist(
            _shorten(delta.translation_m / POLICY_PERIOD_S, FASTEST_M_S),
            _shorten(delta.rotation_vector_rad / POLICY_PERIOD_S, FASTEST_RAD_S),
        )
        self._wanted_opening = delta.gripper_opening


def truth_from(outcome: Mapping[str, str]) -> Truth:
    """The part of the truth that ``/magma/sim/outcome`` tells: tool, target, destination."""
    positions_m = {outcome['target']: _numbers(outcome['target_m'])}
    if outcome['destination']:
        positions_m[outcome['destination']] = _numbers(outcome['destination_m'])
    return Truth(
        _numbers(outcome['tool_m']),
        _numbers(outcome['tool_rpy_rad']),
        float(outcome['finger_gap_m']),
        positions_m,
        {},
    )


def _numbers(text: str) -> FloatArray:
    """As ``ros/status_messages.py`` writes them."""
    return np.array([float(word) for word in text.split()])


def _shorten(vector: FloatArray, longest: float) -> FloatArray:
    length = float(np.linalg.norm(vector))
    return vector * (longest / length) if length > longest else vector
