"""Taking over is bumpless at any moment: the controller's tick, a thousand times."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from magma_ros.benchmarks.record import Entry
from magma_ros.benchmarks.takeover import (
    FRAME,
    PERIOD_S,
    ROUNDING,
    TakeoverRig,
    measure,
    run_takeovers,
)
from magma_ros.data_types import MotionCommand, MotionLimits, Twist
from magma_ros.motion.chunk_check import ChunkRules
from magma_ros.motion.modes import Mode
from magma_ros.nodes.control_tick import ControlTick, Inputs


def test_hundreds_of_random_moments() -> None:  # the benchmark: a thousand
    for at, one in enumerate(run_takeovers(300, seed=7)):
        assert one.ticks_to_mode <= 2, at
        assert one.ticks_to_steer <= 2, at
        assert one.position_step_m <= 0.001, at
        assert one.velocity_share <= 1.0 + ROUNDING, at
        assert one.modes_after == {Mode.READY}, f'{at}: letting go must not lead to the policy'


class Abrupt(ControlTick):
    """Forgets to brake when a person takes over, and starts the policy again afterwards."""

    def tick(self, inputs: Inputs, now_s: float, now_ns: int) -> MotionCommand | None:
        was_by_hand = self.state.mode is Mode.TELEOP
        command = super().tick(inputs, now_s, now_ns)
        if self.state.mode is Mode.TELEOP and command is not None:
            return replace(command, twist=Twist.zero())
        if was_by_hand and self.state.mode is Mode.READY:
            self.state = replace(self.state, mode=Mode.POLICY)
        return command


def test_an_abrupt_controller_is_noticed() -> None:
    broken = Abrupt(ChunkRules(FRAME), MotionLimits(), PERIOD_S)
    rig = TakeoverRig(np.random.default_rng(1), control=broken)
    rig.start()
    for _ in range(14):
        rig.tick()
    one = rig.take_over()

    assert one.velocity_share > 1.5
    assert one.position_step_m > 0.001
    assert one.modes_after != {Mode.READY}


def test_the_benchmark_has_the_goals_of_the_specification(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr('magma_ros.benchmarks.takeover.MOMENTS', 10)
    entries: dict[str, Entry] = {entry.name: entry for entry in measure()}

    assert entries['takeover-position-step'].goal == 1.0
    assert entries['takeover-steered'].goal == 2
    assert all(entry.is_passed for entry in entries.values())
