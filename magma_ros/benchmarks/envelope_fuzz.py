"""Envelope violations of an arm under a hostile policy: a million actions for each arm.

An *action* is one delta offered to the controller. It comes in chunks of up to 24, several of
which may overlap, and most are replaced before they are due: the control periods in which the arm
really moved are counted beside them. The controller is the real one (``driven_arm.py``), the arm
limits nothing, and the judge (``motion_judge.py``) sees where the arm was and nothing else.
"""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat
from multiprocessing import get_context

import numpy as np

from magma_ros.benchmarks.driven_arm import ARMS, PERIOD_S, DrivenArm
from magma_ros.benchmarks.motion_judge import Track, judge
from magma_ros.benchmarks.record import Entry
from magma_ros.robot.arm_profile import ArmProfile, load_arm_profile
from magma_ros.robot.kinematics import Kinematics

ACTIONS = 1_000_000
EPISODE_TICKS = 1000
ESTOP_SHARE = 0.001  # of the control periods: braking is part of the envelope


@dataclass
class Tally:
    """What happened in some episodes."""

    actions: int = 0
    moved: int = 0  # control periods in which the arm was told to move
    not_finite: int = 0  # twists with NaN or infinite numbers that reached the arm
    broken: Counter[str] = field(default_factory=Counter)  # control periods by limit

    def add(self, other: Tally) -> None:
        """Count both."""
        self.actions += other.actions
        self.moved += other.moved
        self.not_finite += other.not_finite
        self.broken += other.broken


def measure(actions: int = ACTIONS) -> list[Entry]:
    """Violations and numbers that are not finite, of all arms, on every core."""
    cores = os.cpu_count() or 1
    entries = []
    with ProcessPoolExecutor(cores, get_context('spawn')) as pool:
        for arm in ARMS:
            tally = Tally()
            for part in pool.map(fuzz, repeat(arm), repeat(-(-actions // cores)), range(cores)):
                tally.add(part)
            kinds = ', '.join(sorted(tally.broken)) or 'none'
            entries += [
                Entry(f'fuzz-{arm}-violations', tally.broken.total(), f'periods ({kinds})', 0),
                Entry(f'fuzz-{arm}-not-finite', tally.not_finite, 'twists', 0),
                Entry(
                    f'fuzz-{arm}-actions', tally.actions, 'actions', actions, higher_is_better=True
                ),
                Entry(f'fuzz-{arm}-moved', tally.moved, 'periods', 1, higher_is_better=True),
            ]
    return entries


def fuzz(arm: str, actions: int, seed: int) -> Tally:
    """Episodes until so many actions were offered."""
    profile = load_arm_profile(arm)
    kinematics, tally, episode = profile.kinematics(), Tally(), 0
    while tally.actions < actions:
        tally.add(run_episode(profile, kinematics, np.random.default_rng((seed, episode))))
        episode += 1
    return tally


def run_episode(
    profile: ArmProfile,
    kinematics: Kinematics,
    random: np.random.Generator,
    ticks: int = EPISODE_TICKS,
) -> Tally:
    """One start pose, and so many control periods of hostility."""
    driven, tally = DrivenArm(profile, kinematics, random), Tally()
    joints, tools = [driven.arm.joints_rad], [driven.arm.tool]
    for _ in range(ticks):
        is_pressed = {'is_estop_pressed': True} if random.random() < ESTOP_SHARE else {}
        twist = driven.tick(**is_pressed)
        numbers = np.array([twist.linear_m_s, twist.angular_rad_s])
        tally.not_finite += not np.isfinite(numbers).all()
        tally.moved += bool(numbers.any())
        joints.append(driven.arm.joints_rad)
        tools.append(driven.arm.tool)
    tally.actions = driven.policy.actions
    tally.broken = judge(Track(np.array(joints), np.array(tools)), profile, PERIOD_S)
    return tally
