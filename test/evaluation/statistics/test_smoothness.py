from __future__ import annotations

import numpy as np
import pytest

from magma_ros.errors import RecordingError
from magma_ros.evaluation.statistics.smoothness import (
    log_dimensionless_jerk,
    measure_motion,
    spectral_arc_length,
)

RATE_HZ = 100.0


def minimum_jerk(duration_s: float, length_m: float, rate_hz: float = RATE_HZ) -> np.ndarray:
    """Speed (n,) of the motion from rest to rest with the least jerk (Flash and Hogan 1985)."""
    tau = np.arange(0.0, 1.0, 1.0 / (duration_s * rate_hz))
    return length_m / duration_s * (30 * tau**2 - 60 * tau**3 + 30 * tau**4)


def motion(duration_s: float = 2.0, length_m: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """A second of rest, a minimum-jerk motion along a slanted line, a second of rest."""
    speed = np.concatenate((np.zeros(100), minimum_jerk(duration_s, length_m), np.zeros(100)))
    way = np.cumsum(speed) / RATE_HZ
    return np.arange(len(way)) / RATE_HZ, way[:, None] * np.array([0.6, 0.0, 0.8])


@pytest.mark.parametrize(('duration_s', 'length_m'), [(1.0, 0.1), (4.0, 0.1), (2.0, 3.0)])
def test_least_jerk_has_its_textbook_value(duration_s: float, length_m: float) -> None:
    # 720 / 1.875^2 = 204.8, whatever duration and length are.
    velocity = minimum_jerk(duration_s, length_m, 1000.0)[:, None]

    assert log_dimensionless_jerk(velocity, 1000.0) == pytest.approx(-np.log(204.8), abs=0.02)


def test_spectral_arc_length_does_not_care_about_scale_and_knows_one_movement_from_two() -> None:
    one = minimum_jerk(1.0, 0.2)
    pause = np.concatenate((one, np.zeros(50), one))

    assert spectral_arc_length(one, RATE_HZ) == pytest.approx(-1.41, abs=0.05)
    assert spectral_arc_length(3 * one, RATE_HZ) == pytest.approx(
        spectral_arc_length(one, RATE_HZ), abs=1e-12
    )
    assert spectral_arc_length(pause, RATE_HZ) < spectral_arc_length(one, RATE_HZ) - 0.3


def test_a_recorded_motion_is_measured_without_its_rests() -> None:
    figures = measure_motion(*motion())

    assert figures.path_length_m == pytest.approx(0.3, abs=1e-3)
    # Nearer to zero than -5.32: the first and last moments, where jerk is largest, are too slow
    # to count as motion.
    assert figures.log_jerk == pytest.approx(-4.36, abs=0.05)
    assert figures.spectral_arc_length == pytest.approx(-1.41, abs=0.1)


def test_trembling_is_less_smooth() -> None:
    t_s, position_m = motion()
    tremble = 0.002 * np.sin(2 * np.pi * 6.0 * t_s)[:, None]

    calm, shaky = measure_motion(t_s, position_m), measure_motion(t_s, position_m + tremble)

    assert shaky.log_jerk < calm.log_jerk - 2.0
    assert shaky.spectral_arc_length < calm.spectral_arc_length - 0.2
    assert shaky.path_length_m > calm.path_length_m + 0.02


def test_uneven_stamps_are_no_jerk() -> None:
    t_s, position_m = motion()
    shift = np.random.default_rng(0).uniform(-0.003, 0.003, len(t_s))
    uneven = np.column_stack([np.interp(t_s + shift, t_s, axis) for axis in position_m.T])

    even, other = measure_motion(t_s, position_m), measure_motion(t_s + shift, uneven)

    assert other.log_jerk == pytest.approx(even.log_jerk, abs=0.5)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda t, p: (t[:5], p[:5]), 'samples'),
        (lambda t, p: (t, p[:, :2]), 'samples'),
        (lambda t, p: (t[::-1], p), 'ascend'),
        (lambda t, p: (t, np.where(p > 0.1, np.nan, p)), 'finite'),
        (lambda t, p: (t, 0 * p), 'did not move'),
    ],
)
def test_what_cannot_be_measured_is_named(change, message: str) -> None:
    with pytest.raises(RecordingError, match=message):
        measure_motion(*change(*motion()))
