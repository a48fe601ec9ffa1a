"""MoveIt's online signal smoothing, as Servo uses it: joint positions in, smoother ones out.

Each call is one period. Source: moveit_core/online_signal_smoothing 2.12, and recordings of it.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import ruckig

from magma_ros.data_types import FloatArray
from magma_ros.sim.servo_osqp import smallest_share
from magma_ros.sim.servo_records import JointLimits, ServoSettings

SAME_STATE = 1e-4  # rad and rad/s: nothing to do


class Smoother(Protocol):
    """One plugin."""

    def reset(self, positions_rad: FloatArray, velocities_rad_s: FloatArray) -> None:
        """Begin anew from this state."""

    def smooth(
        self, positions_rad: FloatArray, velocities_rad_s: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """The state to command instead of the wanted one."""


class Unsmoothed:
    """No plugin."""

    def reset(self, positions_rad: FloatArray, velocities_rad_s: FloatArray) -> None:
        """Nothing to remember."""

    def smooth(
        self, positions_rad: FloatArray, velocities_rad_s: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """The wanted state."""
        return positions_rad, velocities_rad_s


class Butterworth:
    """First-order low pass of the positions.

    Servo starts each step from the filtered state: 2 / (coefficient + 2) of the speed is left.
    """

    def __init__(self, coefficient: float) -> None:
        self._coefficient = coefficient
        self._last: FloatArray | None = None
        self._filtered: FloatArray | None = None

    def reset(self, positions_rad: FloatArray, velocities_rad_s: FloatArray) -> None:
        """Begin at rest."""
        self._last = self._filtered = positions_rad.copy()

    def smooth(
        self, positions_rad: FloatArray, velocities_rad_s: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Filtered positions; the velocities stay, as in the plugin."""
        assert self._last is not None  # Servo resets before it smooths
        assert self._filtered is not None
        feedback = (1.0 - self._coefficient) * self._filtered
        self._filtered = (self._last + positions_rad - feedback) / (1.0 + self._coefficient)
        self._last = positions_rad.copy()
        return self._filtered.copy(), velocities_rad_s


class AccelerationLimited:
    """As far as the acceleration limits allow on the straight line to the target.

    Where they allow nothing on that line, the last velocity is braked as a whole. The plugin looks
    one period ahead only: it has no idea of stopping in time, which makes POSE targets that jump
    swing for ever.
    """

    def __init__(self, acceleration_rad_s2: FloatArray, period_s: float) -> None:
        self._limit, self._period_s = acceleration_rad_s2, period_s
        self._positions = np.zeros_like(acceleration_rad_s2)
        self._velocities = np.zeros_like(acceleration_rad_s2)

    def reset(self, positions_rad: FloatArray, velocities_rad_s: FloatArray) -> None:
        """Begin from this state."""
        self._positions, self._velocities = positions_rad.copy(), velocities_rad_s.copy()

    def smooth(
        self, positions_rad: FloatArray, velocities_rad_s: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """The state one period on."""
        back = self._positions - positions_rad
        away = self._velocities - velocities_rad_s
        if np.linalg.norm(back) < SAME_STATE and np.linalg.norm(away) < SAME_STATE:
            return self._positions.copy(), self._velocities.copy()
        share = self._share_left(back)
        if share is None:
            change = -self._velocities / self._period_s
            worst = float(np.max(np.abs(change) / self._limit))
            self._velocities = self._velocities + change * self._period_s / max(1.0, worst)
            self._positions = self._positions + self._velocities * self._period_s
        else:
            positions = positions_rad + share * back
            self._velocities = (positions - self._positions) / self._period_s
            self._positions = positions
        return self._positions.copy(), self._velocities.copy()

    def _share_left(self, back: FloatArray) -> float | None:
        """Smallest share (0..1) of the way to leave out; None when no share obeys the limits."""
        reach = self._limit * self._period_s**2
        middle = self._velocities * self._period_s + back
        return smallest_share(
            np.append(back, 1.0), np.append(middle - reach, 0.0), np.append(middle + reach, 1.0)
        )


class JerkLimited:
    """The Ruckig plugin; here to show what it does, not to be used.

    It expects the present speed to go on at the target, which is wrong in Servo: half of the speed
    and the direction are lost.
    """

    USABLE = (
        ruckig.Result.Working,
        ruckig.Result.Finished,
        ruckig.Result.ErrorSynchronizationCalculation,
    )

    def __init__(self, limits: JointLimits, jerk_rad_s3: float, period_s: float) -> None:
        joints = len(limits.velocity_rad_s)
        self._period_s = period_s
        self._generator = ruckig.Ruckig(joints, period_s)
        self._input, self._output = ruckig.InputParameter(joints), ruckig.OutputParameter(joints)
        self._input.max_velocity = limits.velocity_rad_s
        self._input.max_acceleration = limits.acceleration_rad_s2
        self._input.max_jerk = [jerk_rad_s3] * joints
        self._input.synchronization = ruckig.Synchronization.Phase
        self._goes_on = False

    def reset(self, positions_rad: FloatArray, velocities_rad_s: FloatArray) -> None:
        """Begin from this state, without acceleration."""
        self._input.current_position = positions_rad
        self._input.current_velocity = velocities_rad_s
        self._input.current_acceleration = np.zeros_like(positions_rad)
        self._goes_on = False

    def smooth(
        self, positions_rad: FloatArray, velocities_rad_s: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """The state one period on; the wanted state where Ruckig finds no way."""
        if self._goes_on:
            self._output.pass_to_input(self._input)
        speed = np.array(self._input.current_velocity)
        ahead = speed + np.array(self._input.current_acceleration) * self._period_s
        self._input.target_position, self._input.target_velocity = positions_rad, ahead
        result = self._generator.update(self._input, self._output)
        self._goes_on = result in self.USABLE
        if not self._goes_on:
            return positions_rad, velocities_rad_s
        return np.array(self._output.new_position), np.array(self._output.new_velocity)


def make_smoother(settings: ServoSettings, limits: JointLimits) -> Smoother:
    """The plugin the settings name."""
    if settings.smoothing == 'none':
        return Unsmoothed()
    if settings.smoothing == 'butterworth':
        return Butterworth(settings.butterworth_filter_coeff)
    if settings.smoothing == 'ruckig':
        return JerkLimited(limits, settings.joint_jerk, settings.publish_period)
    return AccelerationLimited(limits.acceleration_rad_s2, settings.publish_period)
