"""A RealSense camera without its ROS driver: it may stall, be pulled out, and come back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from magma_ros.camera.exposure_settling import ExposureSettling
from magma_ros.camera.frame_source import (
    CLOSED,
    ENDED,
    Condition,
    Frame,
    SourceState,
    require_open,
)
from magma_ros.camera.realsense_devices import RealSenseDevices, UsbDevices
from magma_ros.camera.realsense_stream import RealSenseSettings, RealSenseStream
from magma_ros.errors import CameraError

STALL_S = 0.25  # without a picture: 7 of them at 30 Hz
STALL_PERIODS = 2.5  # and so many of slower cameras
FIRST_PICTURE_S = 2.5  # a sensor takes its time to start
RESET_S = 2.0  # of silence although the camera is there: it has to restart
RESET_SPACING_S = 10.0  # a camera takes some seconds to come back
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 0.5  # between attempts to connect


class RealSenseSource:
    """See ``CameraSource``. It connects while it is read, and again after each loss.

    Args:
        settings: what is asked of the camera.
        now_s: a monotonic clock.
        wall_ns: the clock of the stamps.
        devices: where it is looked for; None: at USB.
    """

    def __init__(
        self,
        settings: RealSenseSettings,
        now_s: Callable[[], float],
        wall_ns: Callable[[], int],
        devices: RealSenseDevices | None = None,
    ) -> None:
        self._settings, self._devices = settings, devices
        self._now_s, self._wall_ns = now_s, wall_ns
        self._stream: RealSenseStream | None = None
        self._device: Any = None
        self._settling = ExposureSettling()
        self._closed = threading.Event()
        self._pause_s = FIRST_PAUSE_S
        self._attempt_s = self._heard_s = 0.0  # the next attempt, the last picture
        self._reset_s = -RESET_SPACING_S
        self._has_pictures = False
        self._last_stamp_ns = 0
        self.state: SourceState = CLOSED

    def open(self) -> None:
        """Begin to look for the camera.

        Raises:
            EnvironmentMissing: pyrealsense2 is missing.
        """
        self._devices = self._devices or UsbDevices()
        self._closed.clear()
        self._pause_s, self._attempt_s = FIRST_PAUSE_S, self._now_s()
        self.state = self._unplugged()

    def read(self, timeout_s: float) -> Frame | None:
        """The next picture; while there is no camera it is looked for."""
        require_open(self.state)
        if self._stream is None and not self._connect():
            wait_s = min(timeout_s, max(0.0, self._attempt_s - self._now_s()))
            self._closed.wait(wait_s)
            return None
        assert self._stream is not None
        try:
            frame = self._stream.read(timeout_s)
        except CameraError as error:
            self._drop(SourceState(Condition.UNPLUGGED, str(error)))
            return None
        if frame is None:
            self._judge_silence()
            return None
        self._heard_s, self._has_pictures = self._now_s(), True
        if not self._settling.is_settled(frame.image.rgb):
            self.state = SourceState(Condition.SETTLING, 'auto-exposure settles')
            return None
        if frame.image.stamp_ns <= self._last_stamp_ns:
            self._last_stamp_ns = 0
            self._drop(SourceState(Condition.STALLED, 'stamps went back: it is started anew'))
            return None
        self._last_stamp_ns = frame.image.stamp_ns
        self.state = SourceState(Condition.STREAMING, warnings=self._stream.warnings)
        return frame

    def close(self) -> None:
        """Stop streaming."""
        self._closed.set()
        if self._stream is not None:
            self._stream.close()
        self._stream = None
        self._last_stamp_ns = 0
        self.state = CLOSED

    def _connect(self) -> bool:
        now_s = self._now_s()
        if now_s < self._attempt_s:
            return False
        assert self._devices is not None
        device = self._devices.find(self._settings.serial)
        if device is None:
            is_restarting = self._now_s() - self._reset_s < RESET_SPACING_S
            if not (is_restarting and self.state.condition is Condition.RESETTING):
                self.state = self._unplugged()
            self._wait_longer()
            return False
        try:
            self._stream = RealSenseStream(device, self._settings, self._wall_ns)
        except CameraError as error:
            self.state = SourceState(Condition.REFUSED, str(error))
            self._wait_longer()
            return False
        self._device = device
        self._settling = ExposureSettling()
        self._heard_s, self._has_pictures = self._now_s(), False
        self._pause_s = FIRST_PAUSE_S
        return True

    def _wait_longer(self) -> None:
        self._attempt_s = self._now_s() + self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)

    def _judge_silence(self) -> None:
        """No picture: is that too long, and why?"""
        now_s = self._now_s()
        silent_s = now_s - self._heard_s
        stall_s = max(STALL_S, STALL_PERIODS / self._settings.rate_hz)
        patience_s = stall_s if self._has_pictures else FIRST_PICTURE_S
        assert self._devices is not None
        if self._devices.has_ended(self._device):
            self.state = ENDED
            return
        if silent_s < patience_s:
            return
        if self._devices.find(self._settings.serial) is None:
            self._drop(self._unplugged())
        elif silent_s >= patience_s + RESET_S and now_s - self._reset_s >= RESET_SPACING_S:
            self._reset_s = now_s
            self._devices.reset(self._device)
            text = f'no picture for {silent_s:.1f} s although the camera is there: it restarts'
            self._drop(SourceState(Condition.RESETTING, text))
        else:
            text = f'no picture for {silent_s:.1f} s although the camera is there'
            self.state = SourceState(Condition.STALLED, f'{text}; check cable and USB port')

    def _drop(self, state: SourceState) -> None:
        assert self._stream is not None
        self._stream.close()
        self._stream = None
        self._attempt_s, self._pause_s = self._now_s() + FIRST_PAUSE_S, FIRST_PAUSE_S
        self.state = state

    def _unplugged(self) -> SourceState:
        serial = self._settings.serial
        which = f'RealSense camera {serial}' if serial else 'RealSense camera'
        return SourceState(
            Condition.UNPLUGGED,
            f'no {which} is connected: plug it into a USB 3 port (magma doctor lists cameras)',
        )
