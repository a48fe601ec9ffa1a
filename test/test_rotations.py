"""The quick quaternion functions against scipy."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from magma_ros.rotations import (
    DOWN,
    euler_from_quaternion,
    multiply_quaternions,
    quaternion_difference,
    quaternion_from_matrix,
    rotate_vector,
    tool_axis,
    turn_quaternion,
)

vectors = st.tuples(*[st.floats(-1.8, 1.8)] * 3).map(np.array)  # up to pi long
quick = settings(deadline=None, max_examples=100)


def assert_same_rotation(quaternion: np.ndarray, expected: Rotation) -> None:
    assert (Rotation.from_quat(quaternion) * expected.inv()).magnitude() < 1e-7


@quick
@given(vectors, vectors)
def test_product_and_turn_are_those_of_scipy(one: np.ndarray, other: np.ndarray) -> None:
    left, right = Rotation.from_rotvec(one), Rotation.from_rotvec(other)
    assert_same_rotation(multiply_quaternions(left.as_quat(), right.as_quat()), left * right)
    turned = turn_quaternion(right.as_quat(), one)
    assert_same_rotation(turned, left * right)
    np.testing.assert_allclose(np.linalg.norm(turned), 1.0, atol=1e-12)
    np.testing.assert_allclose(rotate_vector(one, other), left.apply(other), atol=1e-12)


@quick
@given(vectors, vectors, st.booleans())
def test_difference_turns_start_into_goal(
    start: np.ndarray, goal: np.ndarray, is_flipped: bool
) -> None:
    first, second = Rotation.from_rotvec(start), Rotation.from_rotvec(goal)
    sign = -1.0 if is_flipped else 1.0  # q and -q are the same rotation
    difference = quaternion_difference(first.as_quat(), sign * second.as_quat())
    assert np.linalg.norm(difference) <= np.pi + 1e-9
    assert_same_rotation(turn_quaternion(first.as_quat(), difference), second)


def test_tiny_turns_keep_their_size() -> None:
    tiny = np.array([1e-12, -2e-12, 0.0])
    turned = turn_quaternion(DOWN.as_quat(), tiny)
    np.testing.assert_allclose(
        quaternion_difference(DOWN.as_quat(), turned), tiny, atol=1e-15, rtol=1e-3
    )


@quick
@given(vectors)
def test_tool_axis_is_the_first_column(vector: np.ndarray) -> None:
    rotation = Rotation.from_rotvec(vector)
    np.testing.assert_allclose(
        tool_axis(rotation.as_quat()), rotation.as_matrix()[:, 0], atol=1e-12
    )
    np.testing.assert_allclose(tool_axis(DOWN.as_quat()), [0, 0, -1], atol=1e-12)


@quick
@given(vectors)
def test_quick_conversions_are_those_of_scipy(vector: np.ndarray) -> None:
    rotation = Rotation.from_rotvec(vector)
    matrix = rotation.as_matrix()
    quaternion = quaternion_from_matrix(matrix)

    np.testing.assert_allclose(quaternion, Rotation.from_matrix(matrix).as_quat(), atol=1e-12)
    if abs(matrix[2, 0]) < 0.999:
        np.testing.assert_allclose(
            euler_from_quaternion(quaternion), rotation.as_euler('xyz'), atol=1e-9
        )
