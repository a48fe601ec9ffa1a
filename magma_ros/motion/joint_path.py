"""A planned path of the joints: from rest to rest with Ruckig, and what its tool does on the way.

Between its points a path is the cubic that joint trajectory controllers play.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import ruckig
from scipy.interpolate import CubicHermiteSpline

from magma_ros.data_types import FloatArray, MotionLimits, Pose, Twist
from magma_ros.motion.norms import length
from magma_ros.motion.verifier import JointThen, find_violations
from magma_ros.rotations import quaternion_difference

POINT_S = 0.05  # between the points of a path
STEP_S = 0.02  # between the looks at it
FULL_ACCELERATION_S = 0.1  # until a joint accelerates as much as it may
SHORTEST_RAD = 1e-3  # a shorter way is given the time of this one
SLOWER = 1.01  # than needed, so that a look at other places finds it slow enough, too
GRIPPER_OPENING = 1.0  # no part of a path; any valid one


class ForwardModel(Protocol):
    """Where the tool is; joints are (dof,) in rad."""

    def forward(self, joints_rad: FloatArray) -> Pose:
        """Pose of the tool centre point in the base frame."""


@dataclass(frozen=True)
class JointPath:
    """Joints over time: times (n,), the rest (n, dof)."""

    times_s: FloatArray
    positions_rad: FloatArray
    speeds_rad_s: FloatArray

    def slowed(self, factor: float) -> JointPath:
        """The same way, ``factor`` times slower."""
        return replace(
            self, times_s=self.times_s * factor, speeds_rad_s=self.speeds_rad_s / factor
        )

    def steps(self) -> tuple[float, FloatArray]:
        """Time between two looks (s), and the joints at each, (m, dof)."""
        first_s, last_s = float(self.times_s[0]), float(self.times_s[-1])
        duration_s = last_s - first_s
        count = max(2, int(np.ceil(duration_s / STEP_S)) + 1)
        curve = CubicHermiteSpline(self.times_s, self.positions_rad, self.speeds_rad_s)
        return duration_s / (count - 1), curve(np.linspace(first_s, last_s, count))


@dataclass(frozen=True)
class PathRange:
    """What joints may do: (dof,) each, margins taken off."""

    lowest_rad: FloatArray
    highest_rad: FloatArray
    fastest_rad_s: FloatArray


def rest_to_rest(
    stops_rad: Sequence[FloatArray], speed_rad_s: FloatArray, acceleration_rad_s2: FloatArray
) -> JointPath:
    """Straight in joint space from stop to stop, at rest at each, all joints at once.

    Ruckig (Berscheid and Kroeger 2021) times the share of the way that is done.
    """
    generator, share = ruckig.Ruckig(1), ruckig.Trajectory(1)
    times, positions, speeds = [0.0], [stops_rad[0]], [np.zeros(len(speed_rad_s))]
    for start, end in zip(stops_rad, stops_rad[1:], strict=False):
        way = end - start
        needed = np.maximum(np.abs(way), SHORTEST_RAD)
        acceleration = float((acceleration_rad_s2 / needed).min())
        wanted = ruckig.InputParameter(1)
        wanted.current_position, wanted.target_position = [0.0], [1.0]
        wanted.max_velocity = [float((speed_rad_s / needed).min())]
        wanted.max_acceleration = [acceleration]
        wanted.max_jerk = [acceleration / FULL_ACCELERATION_S]
        generator.calculate(wanted, share)
        begun_s = times[-1]
        count = int(np.ceil(share.duration / POINT_S))
        for time_s in np.linspace(0.0, share.duration, count + 1)[1:].tolist():
            (done,), (rate,), _ = share.at_time(time_s)
            times.append(begun_s + time_s)
            positions.append(start + done * way)
            speeds.append(rate * way)
        positions[-1], speeds[-1] = end, np.zeros_like(way)
    return JointPath(np.array(times), np.array(positions), np.array(speeds))


def slowed_down(
    path: JointPath, model: ForwardModel, reach: PathRange, limits: MotionLimits
) -> JointPath:
    """The path, as much slower as the speeds of joints and tool ask for."""
    while (excess := _excess(path, model, reach, limits)) > 1.0:
        path = path.slowed(SLOWER * excess)  # and is looked at anew, in more places
    return path


def _excess(path: JointPath, model: ForwardModel, reach: PathRange, limits: MotionLimits) -> float:
    """How many times too fast the fastest step is."""
    period_s, steps_rad = path.steps()
    twists = _twists([model.forward(joints) for joints in steps_rad], period_s)
    joint_speeds = np.abs(np.diff(steps_rad, axis=0)).max(axis=0) / period_s
    return max(
        float((joint_speeds / reach.fastest_rad_s).max()),
        max(length(twist.linear_m_s) for twist in twists) / limits.speed_m_s,
        max(length(twist.angular_rad_s) for twist in twists) / limits.angular_speed_rad_s,
    )


def find_path_violation(
    path: JointPath, model: ForwardModel, reach: PathRange, limits: MotionLimits
) -> str | None:
    """What the verifier says about the first step that it would not let through, and where.

    As for commands the tool may come back into box and cone from outside, but never leave them.
    """
    period_s, steps_rad = path.steps()
    poses = [model.forward(joints) for joints in steps_rad]
    numbers = (reach.lowest_rad, reach.highest_rad, reach.fastest_rad_s)
    for place, twist in enumerate(_twists(poses, period_s)):
        here, then = steps_rad[place], steps_rad[place + 1]
        columns = (here, (then - here) / period_s, *numbers)
        joints = tuple(JointThen(*one) for one in zip(*map(np.ndarray.tolist, columns)))  # noqa: B905
        violations = find_violations(
            twist, GRIPPER_OPENING, poses[place], limits, period_s, joints=joints
        )
        if violations:
            spot = np.round(poses[place].translation_m, 3).tolist()
            return f'{", ".join(violations)} after {place * period_s:.2f} s at {spot} m'
    return None


def _twists(poses: Sequence[Pose], period_s: float) -> list[Twist]:
    return [
        Twist(
            (then.translation_m - here.translation_m) / period_s,
            quaternion_difference(here.quaternion_xyzw, then.quaternion_xyzw) / period_s,
        )
        for here, then in zip(poses, poses[1:], strict=False)
    ]
