"""One connection to a RealSense camera: colour, depth aligned to it, intrinsics, stamps.

Facts: librealsense 2.59; realsense2_camera sets the same options.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from magma_ros.camera.frame_source import Frame
from magma_ros.camera.lens import UNKNOWN_POSE
from magma_ros.camera.realsense_devices import describe
from magma_ros.camera.realsense_library import load_realsense
from magma_ros.data_types import CameraImage, CameraModel, DepthImage, Pose
from magma_ros.errors import CameraError

# Set where a sensor has them: stamps on the host's clock, and a steady rate in dim light.
OPTIONS = {'global_time_enabled': 1.0, 'enable_auto_exposure': 1.0, 'auto_exposure_priority': 0.0}
NEGLIGIBLE_DISTORTION = 0.01  # of a coefficient: some 1 px at the corners of 640 x 480


@dataclass(frozen=True)
class RealSenseSettings:
    """What is asked of a camera."""

    serial: str = ''  # empty: the first that is found
    width_px: int = 640
    height_px: int = 480
    rate_hz: int = 30
    has_depth: bool = True
    pose_camera_in_base: Pose = UNKNOWN_POSE
    frame_id: str = 'camera_color_optical_frame'


class RealSenseStream:
    """Streams from construction to ``close``.

    Args:
        device: a ``pyrealsense2.device``.
        settings: what is wanted of it.
        wall_ns: the host's clock, for cameras whose own has nothing to do with it.

    Raises:
        CameraError: it does not offer this, is in use, or has just gone.
    """

    def __init__(
        self, device: Any, settings: RealSenseSettings, wall_ns: Callable[[], int]
    ) -> None:
        self._realsense = realsense = load_realsense()
        self._settings, self._wall_ns = settings, wall_ns
        self.camera = describe(device)
        try:
            for sensor in device.query_sensors():
                _set_options(realsense, sensor)
            self._pipeline = realsense.pipeline()
            self._pipeline.set_device(device)
            profile = self._start(device.is_playback())
        except RuntimeError as error:
            raise CameraError(
                f'{self.camera.name} {self.camera.serial} cannot give '
                f'{settings.width_px} x {settings.height_px} at {settings.rate_hz} Hz ({error}). '
                f'Is another program using it? {_offers(realsense, device)}'
            ) from error
        colour = profile.get_stream(realsense.stream.color).as_video_stream_profile()
        self._intrinsics = colour.get_intrinsics()
        self._align = realsense.align(realsense.stream.color)
        self._last_number = -1
        self._has_host_time = True

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is worth knowing although pictures come."""
        found = []
        if self.camera.is_slow:
            found.append(
                f'the camera is at USB {self.camera.usb}: use a USB 3 port and its own cable'
            )
        if max(map(abs, self._intrinsics.coeffs)) > NEGLIGIBLE_DISTORTION:
            found.append(
                f'the lens distorts ({np.round(self._intrinsics.coeffs, 3).tolist()}), which is '
                'not corrected: places near the edge of the picture are some pixels off'
            )
        if not self._has_host_time:
            found.append(
                'stamps are times of arrival: the camera does not know the time of this machine; '
                'update its firmware'
            )
        return tuple(found)

    def read(self, timeout_s: float) -> Frame | None:
        """The next picture with its depth, None if none came. Raises CameraError if it is gone."""
        try:
            came, frames = self._wait(max(1, round(timeout_s * 1e3)))
            if not came or not (frames := frames.as_frameset()).get_color_frame():
                return None
            if frames.get_color_frame().get_frame_number() == self._last_number:
                return None  # a new depth with an old picture
            aligned = self._align.process(frames) if self._settings.has_depth else frames
        except RuntimeError as error:
            raise CameraError(f'{self.camera.name} stopped: {error}') from error
        colour, depth = aligned.get_color_frame(), aligned.get_depth_frame()
        self._last_number = colour.get_frame_number()
        stamp_ns = self._stamp(colour)
        rgb = np.array(np.asanyarray(colour.get_data()))  # the library lends few buffers
        metres = None
        if depth:
            metres = np.asanyarray(depth.get_data()) * np.float32(depth.get_units())
        return Frame(
            CameraImage(rgb, stamp_ns, self._settings.frame_id),
            None if metres is None else DepthImage(metres, stamp_ns),
            self._camera_model(),
        )

    def close(self) -> None:
        """Stop streaming; a camera that is gone needs no stopping."""
        try:
            self._pipeline.stop()
        except RuntimeError:
            return

    def _start(self, is_recorded: bool) -> Any:
        if is_recorded:  # the pipeline's own queue makes it wait for its reader
            profile = self._pipeline.start(self._request())
            self._wait = self._pipeline.try_wait_for_frames
        else:
            # The pipeline's own waiting looks for a lost camera for seconds; this does not.
            queue = self._realsense.frame_queue(1)
            profile = self._pipeline.start(self._request(), queue)
            self._wait = queue.try_wait_for_frame
        return profile

    def _request(self) -> Any:
        wanted, realsense = self._settings, self._realsense
        size = wanted.width_px, wanted.height_px
        request = realsense.config()
        request.enable_stream(
            realsense.stream.color, 0, *size, realsense.format.rgb8, wanted.rate_hz
        )
        if wanted.has_depth:
            request.enable_stream(
                realsense.stream.depth, 0, *size, realsense.format.z16, wanted.rate_hz
            )
        return request

    def _stamp(self, frame: Any) -> int:
        domain = frame.get_frame_timestamp_domain()
        self._has_host_time = domain != self._realsense.timestamp_domain.hardware_clock
        return round(frame.get_timestamp() * 1e6) if self._has_host_time else self._wall_ns()

    def _camera_model(self) -> CameraModel:
        lens = self._intrinsics
        return CameraModel(
            lens.width,
            lens.height,
            lens.fx,
            lens.fy,
            lens.ppx,
            lens.ppy,
            self._settings.pose_camera_in_base,
        )


def _set_options(realsense: Any, sensor: Any) -> None:
    for name, value in OPTIONS.items():
        option = getattr(realsense.option, name)
        if sensor.supports(option) and not sensor.is_option_read_only(option):
            sensor.set_option(option, value)


def _offers(realsense: Any, device: Any) -> str:
    """Sizes and rates of its colour stream, for error messages."""
    try:
        profiles = [
            profile.as_video_stream_profile()
            for sensor in device.query_sensors()
            for profile in sensor.get_stream_profiles()
            if profile.stream_type() == realsense.stream.color
        ]
    except RuntimeError:  # it has gone meanwhile
        return 'It does not answer; is it plugged in?'
    offers = sorted({(p.width(), p.height(), p.fps()) for p in profiles})
    return f'It offers {", ".join(f"{w} x {h} at {rate} Hz" for w, h, rate in offers)}'
