"""A simulated operator with a stick in the hand: drives the real nodes through teleop."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

import numpy as np

from magma_ros.data_types import EndEffectorDelta, FloatArray, Twist
from magma_ros.evaluation.sessions.conditions import SimulatedOperator
from magma_ros.evaluation.sessions.simulated_operator import gesture
from magma_ros.pipeline import POLICY_PERIOD_S
from magma_ros.sim.tasks import Task, Truth

SEND_S = 0.04  # between two messages; teleop_node takes 0.2 s of silence for a release
FASTEST_M_S, FASTEST_RAD_S = 0.14, 0.7  # config/teleop/twist.yaml refuses 0.15 and 0.8
WITH_RIGHTS = ('policy', 'teleop')  # a hand takes over from a policy that stands still


class SimulatedDriver:
    """Looks at the truth, and a moment later moves the stick. Time is an argument.

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
        self._coming: deque[tuple[float, EndEffectorDelta | None]] = deque()
        self._twist, self._opening = Twist.zero(), 1.0

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
            self._next_look_s = now_s + POLICY_PERIOD_S
            truth = truth_from(outcome)
            delta = gesture(self._operator, self._task, truth, self._random)
            self._coming.append((now_s + self._operator.delay_s, delta))
        while self._coming and self._coming[0][0] <= now_s:
            self._move_hand(self._coming.popleft()[1])
        if now_s >= self._next_send_s:
            self._next_send_s = now_s + SEND_S
            self._hold(self._twist, self._opening)

    def _move_hand(self, delta: EndEffectorDelta | None) -> None:
        if delta is None:  # the hand rests
            self._twist = Twist.zero()
            return
        self._twist = Twist(
            _shorten(delta.translation_m / POLICY_PERIOD_S, FASTEST_M_S),
            _shorten(delta.rotation_vector_rad / POLICY_PERIOD_S, FASTEST_RAD_S),
        )
        self._opening = delta.gripper_opening


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
