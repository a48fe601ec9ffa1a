"""A short fuzzing of every arm, and proof that the judge can find what it looks for."""

from __future__ import annotations

import numpy as np
import pytest

from magma_ros.benchmarks.driven_arm import ARMS, PERIOD_S
from magma_ros.benchmarks.envelope_fuzz import Tally, run_episode
from magma_ros.benchmarks.exact_arm import ExactArm, turn_matrix
from magma_ros.benchmarks.motion_judge import Track, judge
from magma_ros.data_types import Twist
from magma_ros.robot.arm_profile import load_arm_profile

PROFILE = load_arm_profile('wx250s')
KINEMATICS = PROFILE.kinematics()
START = np.array(PROFILE.start_joints_rad)


def episode(arm: str = 'wx250s', seed: int | tuple[int, ...] = 0, ticks: int = 1000) -> Tally:
    profile = load_arm_profile(arm)
    return run_episode(profile, profile.kinematics(), np.random.default_rng(seed), ticks)


@pytest.mark.parametrize('arm', ARMS)
def test_thousands_of_hostile_actions_break_no_limit(arm: str) -> None:
    tally = episode(arm)

    assert not tally.broken
    assert tally.not_finite == 0
    assert tally.actions > 2000
    assert tally.moved > 500


def test_joints_that_get_fast_sooner_than_the_tool_can_be_slowed_down() -> None:
    """Near a singular pose the verifier had to stop this one dead, twice."""
    assert not episode('panda', seed=(1, 16)).broken


@pytest.mark.parametrize(
    ('what', 'limit'),
    [('keep_in_box', 'box'), ('keep_in_cone', 'cone')],
)
def test_an_envelope_without_a_wall_is_found_out(
    monkeypatch: pytest.MonkeyPatch, what: str, limit: str
) -> None:
    monkeypatch.setattr(f'magma_ros.motion.limits.{what}', lambda velocity, *_: velocity)
    monkeypatch.setattr('magma_ros.motion.delta_target.confine', lambda pose, limits: (pose, ()))
    monkeypatch.setattr('magma_ros.pipeline.find_violations', lambda *_: ())

    assert limit in episode(seed=1, ticks=400).broken


def test_unlimited_changes_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('magma_ros.pipeline.ease', lambda wish, *_: (wish, Twist.zero()))
    monkeypatch.setattr('magma_ros.pipeline.limit_rates', lambda wish, *_: (wish, ()))

    assert {'acceleration', 'jerk'} <= set(episode(seed=1).broken)


def track_of(twists: list[tuple[float, ...]], joints: np.ndarray = START) -> Track:
    arm = ExactArm(KINEMATICS, joints)
    rows, tools = [arm.joints_rad], [arm.tool]
    for twist in twists:
        arm.move(Twist(np.array(twist[:3]), np.array(twist[3:])), PERIOD_S)
        rows.append(arm.joints_rad)
        tools.append(arm.tool)
    return Track(np.array(rows), np.array(tools))


def ramp(speed: float, axis: int, step: float, ticks: int = 40) -> list[tuple[float, ...]]:
    """Faster by ``step`` in each period until ``speed``."""
    speeds = np.minimum(step * np.arange(1, ticks + 1), speed)
    return [tuple(one * np.eye(6)[axis]) for one in speeds]


@pytest.mark.parametrize(
    ('twists', 'found'),
    [
        (ramp(0.10, 1, 0.01, 30), set()),
        (ramp(0.16, 1, 0.01, 30), {'speed'}),
        (ramp(0.10, 1, 0.025, 20), {'acceleration', 'jerk'}),
        (ramp(0.10, 1, 0.022, 20), {'acceleration'}),
        (ramp(0.10, 1, 0.02, 120), {'box'}),
        (ramp(0.90, 5, 0.05, 30), {'angular speed'}),
        (ramp(0.60, 4, 0.06, 110), {'cone'}),
    ],
)
def test_the_judge_names_what_a_motion_breaks(
    twists: list[tuple[float, ...]], found: set[str]
) -> None:
    broken = set(judge(track_of(twists), PROFILE, PERIOD_S))

    assert broken >= found
    assert broken - found <= {'box', 'joint speed', 'joint limit'} if found else not broken


def test_the_judge_looks_at_the_joints() -> None:
    track = track_of([(0.0,) * 6] * 60)
    joints = track.joints_rad.copy()
    joints[:, 5] = np.linspace(
        2.0, 3.1, len(joints)
    )  # its margin begins at 3.04, 1.1 rad in 1.2 s

    assert set(judge(Track(joints, track.tools), PROFILE, PERIOD_S)) == {'joint limit'}
    joints[:, 5] = np.linspace(0.0, 1.6, len(joints))
    assert set(judge(Track(joints, track.tools), PROFILE, PERIOD_S)) == {'joint speed'}
    joints[7, 5] = np.nan
    assert judge(Track(joints, track.tools), PROFILE, PERIOD_S) == {'not finite': 1}


def test_the_arm_does_what_a_twist_says() -> None:
    arm = ExactArm(KINEMATICS, START)
    before = arm.tool.copy()
    twist = Twist(np.array([0.1, -0.05, 0.02]), np.array([0.3, 0.2, -0.5]))
    arm.move(twist, PERIOD_S)

    np.testing.assert_allclose(arm.tool, KINEMATICS.matrix(arm.joints_rad))
    moved = (arm.tool[:3, 3] - before[:3, 3]) / PERIOD_S
    np.testing.assert_allclose(moved, twist.linear_m_s, atol=1e-6)
    turned = turn_matrix(twist.angular_rad_s * PERIOD_S) @ before[:3, :3]
    np.testing.assert_allclose(arm.tool[:3, :3], turned, atol=1e-7)
