"""How pictures come: in order, in time, often enough, and alive. Time is an argument."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from magma_ros.data_types import CameraImage
from magma_ros.image.image_checks import Effect, Finding

FROZEN_NS = 500_000_000  # the same pixels for this long are no live picture
FUTURE_NS = 50_000_000  # clocks of two machines may differ by this
OLD_NS = 1_500_000_000  # a decision about an older picture is about another table
CLOCK_BACK_NS = 1_000_000_000  # stamps that fall back further are those of a clock begun anew
RATE_WINDOW_S = 1.0
SLOW_SHARE = 0.6  # of the expected rate


def find_late(stamp_ns: int, now_ns: int) -> Finding | None:
    """``CAMERA_STAMP`` for a picture from the future, ``CAMERA_STALE`` for one from long ago."""
    age_ns = now_ns - stamp_ns
    if age_ns < -FUTURE_NS:
        return Finding(
            'CAMERA_STAMP',
            f'the picture is stamped {-age_ns * 1e-9:.2f} s in the future; look at the clocks of '
            'camera and computer',
        )
    if age_ns > OLD_NS:
        return Finding(
            'CAMERA_STALE',
            f'the picture is {age_ns * 1e-9:.1f} s old; look at the network, the load and the '
            'clocks',
        )
    return None


class StampOrder:
    """Lets every picture through once, and none that is older than one before."""

    def __init__(self) -> None:
        self._last_ns: int | None = None
        self.refused = 0

    def accepts(self, stamp_ns: int) -> bool:
        """Whether this picture is new."""
        last_ns = self._last_ns
        if last_ns is not None and last_ns - CLOCK_BACK_NS < stamp_ns <= last_ns:
            self.refused += 1
            return False
        self._last_ns = stamp_ns
        return True


class RateWatch:
    """How many pictures come in a second.

    Args:
        expected_hz: of the camera; 0: any rate is right.
    """

    def __init__(self, expected_hz: float = 0.0) -> None:
        self._expected_hz = expected_hz
        self._times_s: deque[float] = deque()
        self._since_s: float | None = None

    def note(self, now_s: float) -> None:
        """A picture has come (monotonic)."""
        if self._since_s is None:
            self._since_s = now_s
        self._times_s.append(now_s)

    def rate_hz(self, now_s: float) -> float:
        """Of the last second."""
        while self._times_s and self._times_s[0] <= now_s - RATE_WINDOW_S:
            self._times_s.popleft()
        return len(self._times_s) / RATE_WINDOW_S

    def find_fault(self, now_s: float) -> Finding | None:
        """``CAMERA_SLOW``, once there was a second to count in."""
        rate_hz = self.rate_hz(now_s)
        has_counted = self._since_s is not None and now_s - self._since_s >= RATE_WINDOW_S
        if not has_counted or rate_hz >= SLOW_SHARE * self._expected_hz:
            return None
        return Finding(
            'CAMERA_SLOW',
            f'less than {SLOW_SHARE * self._expected_hz:.0f} pictures a second, '
            f'{self._expected_hz:g} are expected; look at USB, exposure time and load',
            Effect.SLOW,
        )


class FrozenDetector:
    """Notices a camera that sends the same picture again and again under new stamps."""

    def __init__(self) -> None:
        self._last: NDArray[np.uint8] | None = None
        self._since_ns = 0

    def find_fault(self, image: CameraImage) -> Finding | None:
        """``CAMERA_FROZEN`` when no pixel has changed for FROZEN_NS.

        Real sensors have noise; renderers move.
        """
        if self._last is None or not np.array_equal(self._last, image.rgb):
            self._last, self._since_ns = image.rgb, image.stamp_ns
            return None
        still_ns = image.stamp_ns - self._since_ns
        if still_ns < FROZEN_NS:
            return None
        # Without the seconds: a text that changes would be a new state each time.
        return Finding(
            'CAMERA_FROZEN',
            f'{image.frame_id} repeats the same pixels under new stamps; restart its driver, or '
            'set check_frozen to false for a simulator',
        )
