"""Which RealSense cameras there are: on USB, or recorded in a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from magma_ros.camera.realsense_library import load_realsense
from magma_ros.errors import CameraError

SLOW_USB = '2'  # how the descriptor of a USB 2 link begins: 2.0, 2.1


class RealSenseDevices(Protocol):
    """Where a source finds its camera. Devices are ``pyrealsense2.device``."""

    def find(self, serial: str) -> Any | None:
        """The camera of this serial number, any for an empty one, None while there is none."""

    def reset(self, device: Any) -> None:
        """Make it restart; it vanishes and comes back."""

    def has_ended(self, device: Any) -> bool:
        """Whether no picture will ever come again."""


class UsbDevices:
    """Cameras that are connected to this machine.

    Raises:
        EnvironmentMissing: pyrealsense2 is missing.
    """

    def __init__(self) -> None:
        self._context = load_realsense().context()

    def find(self, serial: str) -> Any | None:
        """See RealSenseDevices."""
        for device in self._context.query_devices():
            if serial in ('', read_info(device, 'serial_number')):
                return device
        return None

    def reset(self, device: Any) -> None:
        """A hardware reset."""
        device.hardware_reset()

    def has_ended(self, device: Any) -> bool:
        """Never: it can be plugged in again."""
        return False


class RecordedDevice:
    """A recording of pyrealsense2 or the RealSense Viewer (.db3, older ones .bag) as a camera.

    Args:
        path: of the recording.
        in_real_time: at its own pace; otherwise as fast as it is read.

    Raises:
        EnvironmentMissing: pyrealsense2 is missing.
        CameraError: it is no such recording.
    """

    def __init__(self, path: Path, in_real_time: bool = False) -> None:
        self._realsense = load_realsense()
        self._path, self._in_real_time = path, in_real_time
        if not path.is_file():
            raise CameraError(f'{path} does not exist: name a recording of a RealSense camera')

    def find(self, serial: str) -> Any | None:
        """The recorded camera, at its first picture."""
        context = self._realsense.context()
        try:
            device = context.load_device(str(self._path))
        except RuntimeError as error:
            raise CameraError(f'{self._path} is no recording of pyrealsense2: {error}') from error
        device.as_playback().set_real_time(self._in_real_time)
        return device

    def reset(self, device: Any) -> None:
        """A recording needs none."""

    def has_ended(self, device: Any) -> bool:
        """Whether the last picture was given."""
        stopped = self._realsense.playback_status.stopped
        return device.as_playback().current_status() == stopped


@dataclass(frozen=True)
class FoundCamera:
    """What a camera says of itself; empty where it does not say."""

    name: str
    serial: str
    usb: str  # 3.2, 2.1
    firmware: str

    @property
    def is_slow(self) -> bool:
        """Whether it hangs at USB 2, where most resolutions and rates are not offered."""
        return self.usb.startswith(SLOW_USB)


def list_cameras(context: Any) -> list[FoundCamera]:
    """Those of a ``pyrealsense2.context``."""
    return [describe(device) for device in context.query_devices()]


def describe(device: Any) -> FoundCamera:
    """A device in words."""
    names = ('name', 'serial_number', 'usb_type_descriptor', 'firmware_version')
    return FoundCamera(*(read_info(device, name) for name in names))


def read_info(device: Any, name: str) -> str:
    """A text the device has, empty if it has none of this name."""
    key = getattr(load_realsense().camera_info, name)
    return device.get_info(key) if device.supports(key) else ''
