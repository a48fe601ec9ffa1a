"""Pictures that stand still, are late, come from the future, twice, or too rarely."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.data_types import CameraImage
from magma_ros.image.image_checks import Effect
from magma_ros.image.stream_checks import (
    CLOCK_BACK_NS,
    FROZEN_NS,
    FUTURE_NS,
    OLD_NS,
    FrozenDetector,
    RateWatch,
    StampOrder,
    find_late,
)

NOW_NS = 10**18


def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)


def is_frozen(detector: FrozenDetector, rgb: np.ndarray, stamp_ns: int) -> bool:
    fault = detector.find_fault(CameraImage(rgb, stamp_ns, 'camera'))
    assert fault is None or fault.code == 'CAMERA_FROZEN'
    return fault is not None


def test_the_same_pixels_for_long_are_frozen() -> None:
    detector = FrozenDetector()

    assert not is_frozen(detector, noise(), 0)
    assert not is_frozen(detector, noise(), FROZEN_NS - 1)
    assert is_frozen(detector, noise(), FROZEN_NS)


def test_one_changed_pixel_is_life() -> None:
    detector, changed = FrozenDetector(), noise()
    changed[10, 10, 1] ^= 1

    assert not is_frozen(detector, noise(), 0)
    assert not is_frozen(detector, changed, FROZEN_NS)
    assert not is_frozen(detector, changed, 2 * FROZEN_NS - 1)
    assert is_frozen(detector, changed, 2 * FROZEN_NS)


@pytest.mark.parametrize(
    ('age_ns', 'code'),
    [
        (0, None),
        (-FUTURE_NS, None),
        (-FUTURE_NS - 1, 'CAMERA_STAMP'),
        (OLD_NS, None),
        (OLD_NS + 1, 'CAMERA_STALE'),
    ],
)
def test_stamps_are_bounded_on_both_sides(age_ns: int, code: str | None) -> None:
    fault = find_late(NOW_NS - age_ns, NOW_NS)

    assert (fault.code if fault else None) == code


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, CLOCK_BACK_NS - 1), max_size=30))
def test_accepted_stamps_only_rise(stamps_ns: list[int]) -> None:
    order = StampOrder()

    accepted = [stamp_ns for stamp_ns in stamps_ns if order.accepts(stamp_ns)]

    assert accepted == sorted(set(accepted))
    assert order.refused == len(stamps_ns) - len(accepted)
    assert not stamps_ns or max(stamps_ns) in accepted


def test_a_clock_that_begins_anew_is_followed() -> None:
    order = StampOrder()

    assert order.accepts(NOW_NS)
    assert not order.accepts(NOW_NS - CLOCK_BACK_NS + 1)
    assert order.accepts(5)
    assert order.accepts(6)


def note(watch: RateWatch, rate_hz: float, since_s: float, seconds: float) -> float:
    for number in range(round(rate_hz * seconds)):
        watch.note(since_s + number / rate_hz)
    return since_s + seconds


def test_a_rate_that_falls_slows_and_recovers() -> None:
    watch = RateWatch(30.0)
    now_s = note(watch, 30.0, 100.0, 2.0)
    assert watch.find_fault(now_s) is None

    now_s = note(watch, 5.0, now_s, 1.0)
    fault = watch.find_fault(now_s)
    assert fault is not None
    assert (fault.code, fault.effect) == ('CAMERA_SLOW', Effect.SLOW)
    assert 4.0 <= watch.rate_hz(now_s) <= 5.0

    now_s = note(watch, 30.0, now_s, 1.0)
    assert watch.find_fault(now_s) is None


def test_nobody_is_slow_in_the_first_second_or_without_an_expectation() -> None:
    watch, careless = RateWatch(30.0), RateWatch()
    for one in (watch, careless):
        note(one, 5.0, 100.0, 3.0)

    assert careless.find_fault(103.0) is None
    young = RateWatch(30.0)
    young.note(100.0)
    assert young.find_fault(100.9) is None
    assert watch.find_fault(103.0) is not None
