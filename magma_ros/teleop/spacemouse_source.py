"""A SpaceMouse through pyspacemouse, which knows the HID reports of its models."""

from __future__ import annotations

import importlib
from typing import Any

from magma_ros.errors import EnvironmentMissing
from magma_ros.teleop.axes_device import AxesReading

AXES = ('x', 'y', 'z', 'roll', 'pitch', 'yaw')
MOST_REPORTS = 64  # read at once: translation and rotation come apart, up to 500 a second
RETRY_S = 1.0
UNPLUGGED = 'no SpaceMouse can be read; plug it in, and allow your user to read its /dev/hidraw'


class SpaceMouseSource:
    """The first SpaceMouse there is; one that is plugged in later is found, too.

    Axes are those of ROS: x away from the person, y to the left, z up.

    Raises:
        EnvironmentMissing: pyspacemouse or the hidapi library is not installed.
    """

    def __init__(self) -> None:
        try:
            self._library: Any = importlib.import_module('pyspacemouse')
            hid = importlib.import_module('easyhid')  # below it, with an error of its own
        except (ImportError, OSError) as error:  # OSError: no libhidapi
            raise EnvironmentMissing(
                f'a SpaceMouse is read through pyspacemouse ({error}): pip install '
                '"magma_ros[teleop]" and apt install libhidapi-hidraw0, or run spacenav_node of '
                'the ROS package spacenav and choose the device spacenav'
            ) from error
        self._gone = (RuntimeError, OSError, hid.HIDException)
        self._mouse: Any = None
        self._tried_s: float | None = None

    def poll(self, now_s: float) -> AxesReading | str:
        """See :class:`magma_ros.teleop.axes_device.AxesSource`."""
        if self._mouse is None and not self._open(now_s):
            return UNPLUGGED
        try:
            state = self._read_all()
        except self._gone:
            self.close()
            return UNPLUGGED
        return AxesReading(tuple(state[axis] for axis in AXES), tuple(state.buttons))

    def close(self) -> None:
        """Give the SpaceMouse back."""
        if self._mouse is not None:
            self._mouse.close()
            self._mouse = None

    def _open(self, now_s: float) -> bool:
        if self._tried_s is not None and now_s - self._tried_s < RETRY_S:
            return False
        self._tried_s = now_s
        try:
            self._mouse = self._library.open(axis_convention=self._library.AxisConvention.ROS)
        except self._gone:  # none is plugged in, or it may not be read
            return False
        return True

    def _read_all(self) -> Any:
        """Until nothing new came: one report a tick would lag behind the hand."""
        before = None
        for _ in range(MOST_REPORTS):
            state = self._mouse.read()
            if state.t == before:
                break
            before = state.t
        return state
