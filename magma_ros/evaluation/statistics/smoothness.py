"""How smooth a motion was, and how long its way: from positions over time.

Jerk and spectral arc length as in Balasubramanian, Melendez-Calderon, Roby-Brami and Burdet, On
the analysis of movement smoothness, Journal of NeuroEngineering and Rehabilitation 12:112 (2015).
Both are dimensionless, negative, and nearer to zero the smoother the motion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from magma_ros.errors import RecordingError

Floats = NDArray[np.float64]

LEAST_SAMPLES = 32
LEAST_SAMPLES_MOVING = 4
LEAST_MOTION_M = 1e-3
CUTOFF_HZ = 10.0  # of the low-pass before derivatives are taken; hands and arms move slower
STILL = 0.05  # of the peak speed: below, the motion has not begun or has ended

# The spectrum of the speed is looked at up to here, as far as it is above the threshold.
SPECTRUM_HZ = 10.0
SPECTRUM_THRESHOLD = 0.05
SPECTRUM_PADDING = 4  # times two


@dataclass(frozen=True)
class MotionFigures:
    """Of one motion."""

    path_length_m: float
    log_jerk: float
    spectral_arc_length: float


def measure_motion(t_s: Floats, position_m: Floats) -> MotionFigures:
    """Figures of a recorded motion, from where it begins to where it ends.

    Args:
        t_s: (n,) ascending; the rate may vary.
        position_m: (n, 3).

    Raises:
        RecordingError: too few samples, not finite, times that go back, or no motion at all.
    """
    _check(t_s, position_m)
    if np.ptp(position_m, axis=0).max() < LEAST_MOTION_M:
        raise RecordingError('the arm did not move: there is no smoothness to measure')
    rate_hz = 1.0 / float(np.median(np.diff(t_s)))
    times = np.arange(t_s[0], t_s[-1], 1.0 / rate_hz)
    even = np.column_stack([np.interp(times, t_s, axis) for axis in position_m.T])
    smooth = _low_pass(even, rate_hz)
    velocity = np.gradient(smooth, 1.0 / rate_hz, axis=0)
    speed = np.linalg.norm(velocity, axis=1)
    moving = np.flatnonzero(speed > STILL * speed.max())
    motion = slice(moving[0], moving[-1] + 1)
    if motion.stop - motion.start < LEAST_SAMPLES_MOVING:
        raise RecordingError('the arm moved for too few samples to measure a jerk')
    return MotionFigures(
        float(np.linalg.norm(np.diff(smooth, axis=0), axis=1).sum()),
        log_dimensionless_jerk(velocity[motion], rate_hz),
        spectral_arc_length(speed[motion], rate_hz),
    )


def log_dimensionless_jerk(velocity_m_s: Floats, rate_hz: float) -> float:
    """-ln(duration^3 / peak speed^2 * integral of the squared jerk); velocities (n, axes).

    A minimum-jerk motion has -ln(204.8) = -5.32.
    """
    jerk = np.diff(velocity_m_s, n=2, axis=0) * rate_hz**2
    duration_s = len(velocity_m_s) / rate_hz
    peak = np.linalg.norm(velocity_m_s, axis=1).max()
    squared = float(np.sum(jerk**2)) / rate_hz
    return -float(np.log(duration_s**3 / peak**2 * squared))


def spectral_arc_length(speed_m_s: Floats, rate_hz: float) -> float:
    """Minus the length of the speed's normalised amplitude spectrum (SPARC); speeds (n,)."""
    size = 2 ** (int(np.ceil(np.log2(len(speed_m_s)))) + SPECTRUM_PADDING)
    amplitude = np.abs(np.fft.rfft(speed_m_s, size))
    frequency = np.fft.rfftfreq(size, 1.0 / rate_hz)
    amplitude = amplitude[frequency <= SPECTRUM_HZ] / amplitude.max()
    last = np.flatnonzero(amplitude >= SPECTRUM_THRESHOLD)[-1]
    steps = np.diff(amplitude[: last + 1])
    return -float(np.sum(np.hypot(1.0 / last, steps)))


def _check(t_s: Floats, position_m: Floats) -> None:
    if position_m.shape != (len(t_s), 3) or len(t_s) < LEAST_SAMPLES:
        raise RecordingError(
            f'a motion is {LEAST_SAMPLES} or more samples of (x, y, z), not '
            f'{len(t_s)} times and positions of shape {position_m.shape}'
        )
    if not (np.isfinite(t_s).all() and np.isfinite(position_m).all()):
        raise RecordingError('the motion has samples that are not finite')
    if np.any(np.diff(t_s) <= 0):
        raise RecordingError('the times of the motion do not ascend')


def _low_pass(position_m: Floats, rate_hz: float) -> Floats:
    """Without delay (forwards and backwards)."""
    cutoff = min(CUTOFF_HZ, 0.4 * rate_hz)
    sections = butter(2, cutoff, fs=rate_hz, output='sos')
    return np.asarray(sosfiltfilt(sections, position_m, axis=0))
