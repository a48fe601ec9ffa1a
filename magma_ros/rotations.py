"""The only place where rotations are converted.

Quaternions are xyzw; Euler angles are fixed-axis roll, pitch, yaw.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial.transform import Rotation

from magma_ros.data_types import FloatArray, Pose

# Gripper down, fingers along base y: tool x axis along base -z (Bridge's default rotation).
DOWN_MATRIX = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
DOWN = Rotation.from_matrix(DOWN_MATRIX)
UP_XYZW = DOWN.inv().as_quat()


def rotation_of(pose: Pose) -> Rotation:
    """The rotation part of a pose."""
    return Rotation.from_quat(pose.quaternion_xyzw)


def make_pose(translation_m: FloatArray, rotation: Rotation) -> Pose:
    """A pose from its parts (copies the translation)."""
    return Pose(np.array(translation_m, dtype=float), rotation.as_quat())


def pose_from_matrix(matrix: FloatArray) -> Pose:
    """(4, 4) homogeneous matrix -> Pose."""
    return make_pose(matrix[:3, 3], Rotation.from_matrix(matrix[:3, :3]))


def matrix_from_pose(pose: Pose) -> FloatArray:
    """Pose -> (4, 4) homogeneous matrix."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation_of(pose).as_matrix()
    matrix[:3, 3] = pose.translation_m
    return matrix


def rotation_vector_from_euler(roll_pitch_yaw_rad: FloatArray) -> FloatArray:
    """Fixed-axis roll, pitch, yaw (R = Rz Ry Rx) -> rotation vector.

    The two look alike for small angles and differ: never copy one as the other.
    """
    return Rotation.from_euler('xyz', roll_pitch_yaw_rad).as_rotvec()


def euler_from_rotation_vector(rotation_vector_rad: FloatArray) -> FloatArray:
    """Rotation vector -> fixed-axis roll, pitch, yaw."""
    return Rotation.from_rotvec(rotation_vector_rad).as_euler('xyz')


def rotation_difference(start: Rotation, goal: Rotation) -> FloatArray:
    """Rotation vector in base axes from ``start`` to ``goal``: goal = exp(result) * start."""
    return (goal * start.inv()).as_rotvec()


def euler_from_down(pose_gripper_in_base: Pose) -> FloatArray:
    """Roll, pitch, yaw away from straight down, in base axes: R = Rz Ry Rx DOWN.

    This is the rotation in Bridge's state.
    """
    turned = multiply_quaternions(pose_gripper_in_base.quaternion_xyzw, UP_XYZW)
    return euler_from_quaternion(turned)


def down_with_euler(roll_pitch_yaw_rad: FloatArray) -> Rotation:
    """Inverse of :func:`euler_from_down`."""
    return Rotation.from_euler('xyz', roll_pitch_yaw_rad) * DOWN


def apply_to_points(pose: Pose, points: FloatArray) -> FloatArray:
    """(n, 3) points of the inner frame -> (n, 3) points of the outer frame."""
    return rotation_of(pose).apply(points) + pose.translation_m


def inverse(pose: Pose) -> Pose:
    """The transform the other way round."""
    back = rotation_of(pose).inv()
    return make_pose(-back.apply(pose.translation_m), back)


# The control loop runs these 50 times a second, the converter a thousand times; they cost a tenth
# of what a scipy Rotation does.


def multiply_quaternions(left_xyzw: FloatArray, right_xyzw: FloatArray) -> FloatArray:
    """Hamilton product: first turn by ``right``, then by ``left``."""
    ax, ay, az, aw = left_xyzw.tolist()
    bx, by, bz, bw = right_xyzw.tolist()
    return np.array(
        [
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
            aw * bw - ax * bx - ay * by - az * bz,
        ]
    )


def turn_quaternion(quaternion_xyzw: FloatArray, rotation_vector_rad: FloatArray) -> FloatArray:
    """exp(rotation vector) * quaternion: a turn about base axes. The result has unit norm."""
    x, y, z = rotation_vector_rad.tolist()
    angle = math.sqrt(x * x + y * y + z * z)
    scale = math.sin(angle / 2) / angle if angle > 1e-9 else 0.5
    step = np.array([x * scale, y * scale, z * scale, math.cos(angle / 2)])
    turned = multiply_quaternions(step, quaternion_xyzw)
    return turned / math.sqrt(turned @ turned)


def quaternion_difference(start_xyzw: FloatArray, goal_xyzw: FloatArray) -> FloatArray:
    """:func:`rotation_difference` for unit quaternions; at most pi long."""
    inverse_start = start_xyzw * np.array([-1.0, -1.0, -1.0, 1.0])
    x, y, z, w = multiply_quaternions(goal_xyzw, inverse_start).tolist()
    if w < 0.0:  # the same rotation the short way round
        x, y, z, w = -x, -y, -z, -w
    sine = math.sqrt(x * x + y * y + z * z)
    scale = 2.0 * math.atan2(sine, w) / sine if sine > 1e-9 else 2.0
    return np.array([x * scale, y * scale, z * scale])


def quaternion_from_matrix(matrix: FloatArray) -> FloatArray:
    """Unit quaternion xyzw of an orthogonal (3, 3) matrix; signs are those of scipy."""
    (a, b, c), (d, e, f), (g, h, i) = matrix.tolist()
    trace = a + e + i
    largest = max(trace, a, e, i)
    if largest == a:
        x, y, z, w = 1.0 - trace + 2.0 * a, b + d, c + g, h - f
    elif largest == e:
        x, y, z, w = b + d, 1.0 - trace + 2.0 * e, f + h, c - g
    elif largest == i:
        x, y, z, w = c + g, f + h, 1.0 - trace + 2.0 * i, d - b
    else:
        x, y, z, w = h - f, c - g, d - b, 1.0 + trace
    scale = 1.0 / math.sqrt(x * x + y * y + z * z + w * w)
    return np.array([x * scale, y * scale, z * scale, w * scale])


def euler_from_quaternion(quaternion_xyzw: FloatArray) -> FloatArray:
    """Fixed-axis roll, pitch, yaw of a unit quaternion; pitch within 90 degrees."""
    x, y, z, w = quaternion_xyzw.tolist()
    sine = max(-1.0, min(1.0, 2.0 * (w * y - z * x)))
    roll = math.atan2(2.0 * (w * x + y * z), 1.0 - 2.0 * (x * x + y * y))
    yaw = math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
    return np.array([roll, math.asin(sine), yaw])


def tool_axis(quaternion_xyzw: FloatArray) -> FloatArray:
    """The tool's x axis, where the fingers point, in base axes; straight down is (0, 0, -1)."""
    x, y, z, w = quaternion_xyzw.tolist()
    return np.array([1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + z * w), 2.0 * (x * z - y * w)])


def rotate_vector(rotation_vector_rad: FloatArray, vector: FloatArray) -> FloatArray:
    """exp(rotation vector) * vector."""
    return Rotation.from_rotvec(rotation_vector_rad).apply(vector)
