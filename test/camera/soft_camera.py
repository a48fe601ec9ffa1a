"""A RealSense camera of software: librealsense's own software device behind the real pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from magma_ros.camera.realsense_library import load_realsense
from magma_ros.errors import EnvironmentMissing

WIDTH, HEIGHT, RATE_HZ = 64, 48, 30
COLOUR_FOCAL, DEPTH_FOCAL = 60.0, 45.0
BASELINE_M = 0.015  # the colour sensor of a D435 is beside the depth origin
PERIOD_MS = 1000.0 / RATE_HZ
START_MS = 1_700_000_000_000.0

try:
    load_realsense()
    MISSING = ''
except EnvironmentMissing as error:
    MISSING = str(error)
needs_realsense = pytest.mark.skipif(bool(MISSING), reason=MISSING)


class SoftCamera:
    """Colour and depth sensors that give what a test injects."""

    def __init__(self, realsense: Any, usb: str = '3.2', distortion: float = 0.0) -> None:
        self._realsense = rs = realsense
        self.device = rs.software_device()
        for name, text in (
            ('name', 'Software D435'),
            ('serial_number', '0123'),
            ('product_line', 'D400'),
            ('usb_type_descriptor', usb),
        ):
            self.device.register_info(getattr(rs.camera_info, name), text)
        self.colour = self.device.add_sensor('RGB Camera')
        self.depth = self.device.add_sensor('Stereo Module')
        self.colour.add_option(rs.option.global_time_enabled, _zero_to_one(rs), True)
        self.colour_profile = self.colour.add_video_stream(
            self._stream(rs.stream.color, 1, rs.format.rgb8, 3, COLOUR_FOCAL, distortion)
        )
        self.depth_profile = self.depth.add_video_stream(
            self._stream(rs.stream.depth, 0, rs.format.z16, 2, DEPTH_FOCAL, 0.0)
        )
        self.depth.add_read_only_option(rs.option.depth_units, 0.001)
        between = rs.extrinsics()
        between.rotation = [1, 0, 0, 0, 1, 0, 0, 0, 1]
        between.translation = [BASELINE_M, 0, 0]
        self.depth_profile.register_extrinsics_to(self.colour_profile, between)
        self.device.create_matcher(rs.matchers.dlr_c)
        self._alive: list[np.ndarray] = []  # librealsense does not copy what it is given
        self.number = 0

    def inject(
        self,
        rgb: np.ndarray,
        depth_mm: np.ndarray,
        stamp_ms: float | None = None,
        domain: str = 'global_time',
    ) -> None:
        """One picture with its depth."""
        self.number += 1
        for sensor, profile, pixels in (
            (self.colour, self.colour_profile, rgb),
            (self.depth, self.depth_profile, depth_mm),
        ):
            frame = self._realsense.software_video_frame()
            frame.pixels = np.ascontiguousarray(pixels)
            frame.bpp = pixels[0, 0].nbytes
            frame.stride = WIDTH * frame.bpp
            frame.timestamp = START_MS + self.number * PERIOD_MS if stamp_ms is None else stamp_ms
            frame.domain = getattr(self._realsense.timestamp_domain, domain)
            frame.frame_number = self.number
            frame.profile = profile.as_video_stream_profile()
            frame.depth_units = 0.001
            self._alive.append(frame.pixels)
            sensor.on_video_frame(frame)

    def _stream(
        self, kind: Any, uid: int, form: Any, bpp: int, focal: float, distortion: float
    ) -> Any:
        stream = self._realsense.video_stream()
        stream.type, stream.index, stream.uid, stream.fmt, stream.bpp = kind, 0, uid, form, bpp
        stream.width, stream.height, stream.fps = WIDTH, HEIGHT, RATE_HZ
        lens = self._realsense.intrinsics()
        lens.width, lens.height, lens.fx, lens.fy = WIDTH, HEIGHT, focal, focal
        lens.ppx, lens.ppy, lens.coeffs = WIDTH / 2, HEIGHT / 2, [distortion, 0, 0, 0, 0]
        lens.model = self._realsense.distortion.inverse_brown_conrady
        stream.intrinsics = lens
        return stream


def _zero_to_one(realsense: Any) -> Any:
    span = realsense.option_range()
    span.min, span.max, span.step, span.default = 0.0, 1.0, 1.0, 0.0
    return span


class Sockets:
    """Where the software camera is plugged in, or not; see ``RealSenseDevices``."""

    def __init__(self, camera: SoftCamera) -> None:
        self.camera = camera
        self.is_plugged_in = True
        self.resets = self.searches = 0

    def find(self, serial: str) -> Any | None:
        self.searches += 1
        return self.camera.device if self.is_plugged_in and serial in ('', '0123') else None

    def reset(self, device: Any) -> None:
        assert device is self.camera.device
        self.resets += 1
        self.is_plugged_in = False

    def has_ended(self, device: Any) -> bool:
        return False


class Clock:
    """A monotonic clock that stands still unless it is told."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def flat_scene(index: int = 0, depth_mm: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """A grey picture of an even brightness, and a wall."""
    rgb = np.full((HEIGHT, WIDTH, 3), 100, np.uint8)
    rgb[0, 0] = index
    return rgb, np.full((HEIGHT, WIDTH), depth_mm, np.uint16)
