"""Actions: what they mean, what is left out, and that none of them knows the future."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from robot_bag import (
    CAMERA,
    JOINTS,
    START_NS,
    image_message,
    joint_message,
    picture,
    robot_arrivals,
)
from robot_bag import TYPES as KINDS
from scipy.spatial.transform import Rotation

from magma_ros.data_types import ArmState
from magma_ros.dataset.actions.action_statistics import dataset_statistics
from magma_ros.dataset.actions.conventions import BRIDGE, DROID, ActionConvention, state_vector
from magma_ros.dataset.actions.gripper_labels import GripperLabels
from magma_ros.dataset.actions.steps import Exclusion, NoOpRules, Step, make_steps
from magma_ros.dataset.features.commanded_motion import CommandedDelta
from magma_ros.dataset.features.mapping import load_mapping
from magma_ros.dataset.features.sampling import Gap, Sample, SamplingRules, sample_stream
from magma_ros.dataset.reading.stream_message import StreamMessage
from magma_ros.dataset.recorded_topic import Arrival
from magma_ros.errors import ConfigurationError
from magma_ros.model.action_scaling import load_statistics, normalise, unnormalise
from magma_ros.rotations import down_with_euler, make_pose, rotation_of

MAPPING = load_mapping('wx250s')
PROFILE = MAPPING.profile()
ALL = NoOpRules(is_on=False)


def sample(index: int, position: list[float], rotation: Rotation, opening: float = 1.0) -> Sample:
    pose = make_pose(np.array(position), rotation)
    arm = ArmState(np.zeros(6), np.zeros(6), pose, opening, index)
    nothing = CommandedDelta(np.zeros(3), np.zeros(3), None, '', 0)
    return Sample(index, {}, arm, 'go', nothing)


def walk(count: int, seed: int = 0) -> list[Sample]:
    rng = np.random.default_rng(seed)
    position, rotation, samples = np.array([0.3, 0.0, 0.1]), down_with_euler(np.zeros(3)), []
    for index in range(count):
        samples.append(sample(index, position.tolist(), rotation))
        position = position + rng.normal(0, 0.01, 3)
        rotation = Rotation.from_rotvec(rng.normal(0, 0.1, 3)) * rotation
    return samples


def actions_of(samples: list[Sample], convention: ActionConvention) -> np.ndarray:
    steps = make_steps(samples, convention, ALL)
    return np.array([one.action for one in steps if isinstance(one, Step)])


@pytest.mark.parametrize('turn', ['euler', 'rotation_vector'])
def test_actions_add_up_to_the_path(turn: str) -> None:
    samples = walk(40)
    actions = actions_of(samples, ActionConvention(turn=turn))  # type: ignore[arg-type]

    first, last = samples[0].arm.pose_gripper_in_base, samples[-1].arm.pose_gripper_in_base
    rotation = rotation_of(first)
    for values in actions[:, 3:6]:
        make = Rotation.from_rotvec if turn != 'euler' else partial(Rotation.from_euler, 'xyz')
        rotation = make(values) * rotation
    end_m = first.translation_m + actions[:, :3].sum(axis=0)
    assert np.allclose(end_m, last.translation_m, atol=1e-12)
    assert (rotation * rotation_of(last).inv()).magnitude() < 1e-9


def test_a_turn_past_180_degrees_wraps_only_where_openvla_does() -> None:
    before, after = (down_with_euler(np.array([0.0, 0.0, yaw])) for yaw in (3.1, -3.1))
    samples = [sample(0, [0.3, 0, 0.1], before), sample(1, [0.3, 0, 0.1], after)]

    safe, naive = (
        actions_of(samples, ActionConvention(turn=turn))[0]  # type: ignore[arg-type]
        for turn in ('euler', 'bridge_naive')
    )

    assert safe[5] == pytest.approx(2 * np.pi - 6.2)
    assert naive[5] == pytest.approx(-6.2)  # the artefact of the published statistics


def test_naive_actions_are_openvlas() -> None:
    """bridge_orig: action[:6] = state[t + 1] - state[t], the last step dropped."""
    samples = walk(30)
    states = np.array([state_vector(one.arm.pose_gripper_in_base, 1.0, BRIDGE) for one in samples])

    actions = actions_of(samples, ActionConvention(turn='bridge_naive'))

    assert np.allclose(actions[:, :6], np.diff(states[:, :6], axis=0), atol=1e-12)


def test_droid_has_the_gripper_the_other_way_round() -> None:
    samples = walk(3)

    bridge, droid = (actions_of(samples, convention) for convention in (BRIDGE, DROID))

    assert np.array_equal(bridge[:, :6], droid[:, :6])
    assert np.array_equal(bridge[:, 6], 1.0 - droid[:, 6])


def test_a_gripper_that_holds_something_is_closed() -> None:
    labels = GripperLabels(1.0)
    openings = [1.0, 0.8, 0.5, 0.4, 0.4, 0.41, 0.6, 0.97, 1.0]

    assert [labels.next(one) for one in openings] == [1, 0, 0, 0, 0, 0, 1, 1, 1]


def test_no_ops_are_listed_and_drift_is_not_lost() -> None:
    down = down_with_euler(np.zeros(3))
    xs = [0.30, 0.31, 0.31, 0.31, 0.3104, 0.3108, 0.3112, 0.3212]
    samples = [sample(index, [x, 0.0, 0.1], down) for index, x in enumerate(xs)]

    items = list(make_steps(samples, BRIDGE, NoOpRules()))

    kept = [one.sample.time_ns for one in items if isinstance(one, Step)]
    dropped = {one.time_ns: one.reason for one in items if isinstance(one, Exclusion)}
    assert kept == [0, 5, 6]  # the third small step makes a millimetre together
    assert set(dropped) == {1, 2, 3, 4, 7}
    assert dropped[2] == 'nothing happens (no-op)'


def test_steps_around_a_gripper_event_are_kept() -> None:
    down = down_with_euler(np.zeros(3))
    openings = [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    samples = [sample(i, [0.3, 0.0, 0.1], down, one) for i, one in enumerate(openings)]

    items = make_steps(samples, BRIDGE, NoOpRules())

    assert [one.sample.time_ns for one in items if isinstance(one, Step)] == [3, 4, 5]


def test_a_gap_ends_the_steps_before_it() -> None:
    samples = walk(4)
    items = list(make_steps([*samples[:2], Gap(2, 'dark'), samples[3]], BRIDGE, ALL))

    assert isinstance(items[0], Step)
    assert [one.reason for one in items[1:] if isinstance(one, Exclusion)] == [
        'no sample after it: dark',
        'dark',
        'the last sample: nothing comes after it',
    ]


def stream(arrivals: list[Arrival]) -> list[StreamMessage]:
    return [
        StreamMessage(one.topic, KINDS[one.topic], one.received_ns, one.data, Path('b.mcap'), at)
        for at, one in enumerate(arrivals)
    ]


def steps_of(
    messages: list[StreamMessage], convention: ActionConvention
) -> list[Step | Exclusion]:
    rules = SamplingRules(size_px=16)
    samples = sample_stream(messages, MAPPING, PROFILE, rules)
    return list(make_steps(samples, convention, NoOpRules()))


RECORDED = stream(robot_arrivals(2.0, (24, 16)))


def is_same(one: Step | Exclusion, other: Step | Exclusion) -> bool:
    if isinstance(one, Exclusion) or isinstance(other, Exclusion):
        return one == other
    return (
        np.array_equal(one.action, other.action)
        and np.array_equal(one.state, other.state)
        and np.array_equal(one.sample.pictures['image'].rgb, other.sample.pictures['image'].rgb)
        and one.sample.instruction == other.sample.instruction
    )


@given(at=st.integers(10, len(RECORDED) - 1), source=st.sampled_from(['states', 'chunks']))
@settings(max_examples=15, deadline=None)
def test_no_step_knows_the_future(at: int, source: str) -> None:
    """Whatever comes later is changed; everything decided before stays as it was."""
    convention = ActionConvention(source)  # type: ignore[arg-type]
    changed_ns = RECORDED[at].log_ns
    other = {
        CAMERA: lambda: image_message(picture(77, 24, 16), START_NS),
        JOINTS: lambda: joint_message(50.0, START_NS),
    }
    changed = [
        replace(one, data=other[one.topic]())
        if one.log_ns >= changed_ns and one.topic in other
        else one
        for one in RECORDED
        if one.log_ns < changed_ns or one.topic in other
    ]

    before, after = (steps_of(messages, convention) for messages in (RECORDED, changed))

    period_ns = 200_000_000
    decided = [
        index
        for index, one in enumerate(before)
        if (one.sample.time_ns if isinstance(one, Step) else one.time_ns) + period_ns < changed_ns
    ]
    assert all(is_same(before[index], after[index]) for index in decided)


def test_statistics_scale_and_scale_back(tmp_path: Path) -> None:
    actions = actions_of(walk(200), BRIDGE)
    path = tmp_path / 'dataset_statistics.json'
    path.write_text(json.dumps(dataset_statistics('mine', actions, actions, 1)))

    statistics = load_statistics('mine', path)

    inside = np.clip(actions, statistics.q01, statistics.q99)
    scaled = normalise(inside, statistics)
    assert np.abs(scaled[:, :6]).max() <= 1.0
    assert statistics.mask.tolist() == [True] * 6 + [False]
    assert np.allclose(statistics.q01, np.quantile(actions, 0.01, axis=0))
    assert np.allclose(unnormalise(scaled, statistics)[:, :6], inside[:, :6], atol=1e-8)


@pytest.mark.parametrize(
    'make',
    [
        lambda: ActionConvention('guesses'),  # type: ignore[arg-type]
        lambda: ActionConvention('chunks', 'bridge_naive'),
        lambda: NoOpRules(least_m=-1.0),
        lambda: SamplingRules(rate_hz=0.0),
        lambda: SamplingRules(size_px=3),
    ],
)
def test_rules_that_make_no_sense_are_refused(make: object) -> None:
    with pytest.raises(ConfigurationError):
        make()  # type: ignore[operator]
