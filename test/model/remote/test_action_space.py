from __future__ import annotations

import numpy as np
import pytest

from magma_ros.errors import ModelError
from magma_ros.model.action_scaling import decode_delta, load_statistics, unnormalise
from magma_ros.model.remote.action_space import ACTION_SPACES, ActionSpace, read_action_space
from magma_ros.rotations import rotation_vector_from_euler

OURS = ActionSpace()
STATED = OURS.as_message()


def test_our_space_gives_exactly_what_decoding_here_gives() -> None:
    statistics = load_statistics('bridge_orig')
    normalised = np.array([0.3, -0.7, 0.1, 0.9, -0.2, 0.4, 0.6])

    (delta,) = OURS.decode(unnormalise(normalised, statistics)).deltas

    here = decode_delta(normalised, statistics)
    np.testing.assert_array_equal(delta.translation_m, here.translation_m)
    np.testing.assert_array_equal(delta.rotation_vector_rad, here.rotation_vector_rad)
    assert delta.gripper_opening == here.gripper_opening


def test_bridge_is_metres_euler_angles_and_relative_to_the_commanded_pose() -> None:
    action = ACTION_SPACES['bridge'].decode([0.01, 0, 0, 0.1, 0.2, 0.3, 0.8])

    (delta,) = action.deltas
    assert delta.translation_m == pytest.approx([0.01, 0, 0])
    expected = rotation_vector_from_euler(np.array([0.1, 0.2, 0.3]))
    assert delta.rotation_vector_rad == pytest.approx(expected)
    assert (delta.gripper_opening, action.step_s, action.reference) == (0.8, 0.2, 'commanded')


def test_libero_is_scaled_turns_about_an_axis_and_opens_at_minus_one() -> None:
    chunk = [[1, 0, -0.5, 0, 0, 1, -1], [0, 0, 0, 0, 0, 0, 1]]

    action = ACTION_SPACES['libero'].decode(chunk)

    first, second = action.deltas
    assert first.translation_m == pytest.approx([0.05, 0, -0.025])
    assert first.rotation_vector_rad == pytest.approx([0, 0, 0.5])
    assert (first.gripper_opening, second.gripper_opening) == (1.0, 0.0)
    assert (action.step_s, action.reference) == (0.05, 'measured')


@pytest.mark.parametrize(
    ('actions', 'reason'),
    [
        ([1, 2, 3], 'shape'),
        (np.zeros((10, 8)), 'not the joints'),
        (np.zeros((65, 7)), '64 steps'),
        (np.zeros((0, 7)), 'shape'),
        (np.zeros((1, 1, 7)), 'shape'),
        ([0, 0, 0, 0, 0, 0, np.nan], 'NaN'),
        ([0, 0, 0, 0, 0, np.inf, 0], 'NaN or infinity'),
        ('error', 'no numbers'),
        ({'a': 1}, 'no numbers'),
        ([[1], [1, 2]], 'no numbers'),
        ([10**400] * 7, 'no numbers'),
        (None, 'NaN|shape'),
    ],
)
def test_what_is_no_action_is_named(actions, reason) -> None:
    with pytest.raises(ModelError, match=reason):
        OURS.decode(actions)


@pytest.mark.parametrize('space', [OURS, *ACTION_SPACES.values()])
def test_a_space_survives_the_wire(space) -> None:
    assert read_action_space(space.as_message()) == space


@pytest.mark.parametrize(
    'changes',
    [
        {'names': ['j1', 'j2']},
        {'translation_unit_m': 0.0},
        {'translation_unit_m': '1'},
        {'rotation_unit_rad': float('nan')},
        {'step_s': -1.0},
        {'step_s': 10**400},
        {'rotation': np.zeros(2)},
        {'names': np.zeros(7)},
        {'step_s': True},
        {'gripper_open': 0.0},
        {'rotation': 'quaternion'},
        {'reference': 'world'},
    ],
    ids=str,
)
def test_impossible_spaces_are_refused(changes) -> None:
    with pytest.raises(ModelError, match='impossible action space|are needed'):
        read_action_space(STATED | changes)


def test_no_space_at_all_is_refused() -> None:
    with pytest.raises(ModelError, match='are needed'):
        read_action_space(None)
