"""A camera for perception: noise instead of a table, and everything a camera can do wrong."""

from __future__ import annotations

import array
import struct
import sys
from collections.abc import Callable
from functools import cache
from zlib import compressobj, crc32

import cv2
import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image

from magma_ros.data_types import CameraImage, CameraModel, Pose
from magma_ros.errors import ConfigurationError
from magma_ros.faults.guard import check_allowed
from magma_ros.faults.rig_commands import CommandServer
from magma_ros.ros import topics
from magma_ros.ros.camera_messages import camera_to_message, image_to_message
from magma_ros.ros.deadline_loop import DeadlineLoop
from magma_ros.ros.node_process import run_node

WIDTH_PX, HEIGHT_PX, PERIOD_S = 640, 480, 1.0 / 15.0
FRAME = 'camera_color_optical_frame'
LATE_S = 2.0
SLOW_EVERY = 3
BOMB_PX = 9000
MODEL = CameraModel(
    WIDTH_PX, HEIGHT_PX, 600.0, 600.0, 320.0, 240.0, Pose(np.zeros(3), np.eye(4)[3])
)


def _painted(value: int) -> Callable[[Image], None]:
    def change(message: Image) -> None:
        message.data = array.array('B', bytes([value]) * len(message.data))

    return change


def _smaller(message: Image) -> None:
    message.height //= 2
    message.data = message.data[: message.height * message.step]


def _renamed(message: Image) -> None:
    message.encoding = 'bayer_rggb8'


def _cut(message: Image) -> None:
    message.data = message.data[: len(message.data) // 2]


def _stepped(message: Image) -> None:
    message.step //= 2


# Each changes a good picture in place.
PICTURE_FAULTS: dict[str, Callable[[Image], None]] = {
    'black': _painted(0),
    'white': _painted(255),
    'covered': _painted(90),
    'size': _smaller,
    'encoding': _renamed,
    'cut': _cut,
    'step': _stepped,
}


STREAM_FAULTS = ('frozen', 'late', 'slow', 'bomb')


@cache
def make_bomb() -> bytes:
    """A PNG of BOMB_PX squared, black, which is small until it is unpacked."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', crc32(kind + data))

    header = struct.pack('>IIBBBBB', BOMB_PX, BOMB_PX, 8, 2, 0, 0, 0)
    pixels = compressobj(9)
    row = bytes(1 + 3 * BOMB_PX)
    packed = b''.join(pixels.compress(row) for _ in range(BOMB_PX)) + pixels.flush()
    return (
        b'\x89PNG\r\n\x1a\n'
        + chunk(b'IHDR', header)
        + chunk(b'IDAT', packed)
        + chunk(b'IEND', b'')
    )


class FakeCamera(Node):
    """Pictures of noise at 15 Hz; no two are equal, as with a real sensor."""

    def __init__(self) -> None:
        check_allowed()
        super().__init__('fake_camera')
        self._chance = np.random.default_rng(0)
        self._noise = self._chance.integers(0, 255, (HEIGHT_PX, WIDTH_PX, 3), dtype=np.uint8)
        self._fault = ''
        names = topics.camera_topics()
        self._colour = names['colour'].publisher(self)
        self._info = names['colour_info'].publisher(self)
        self._compressed = topics.compressed_colour_topic().publisher(self)
        self._count = 0
        self._commands = CommandServer({'picture': self._set_fault})
        self._loop = DeadlineLoop('camera', PERIOD_S, self._tick)
        self._loop.start()
        self._commands.start()

    @property
    def has_failed(self) -> bool:
        """Whether the loop has died or the runner has gone."""
        return not (self._loop.is_alive and self._commands.is_alive)

    def close(self) -> None:
        """Stop."""
        self._loop.stop()

    def _set_fault(self, fault: str) -> None:
        """A name of PICTURE_FAULTS or STREAM_FAULTS, or nothing."""
        if fault not in (*PICTURE_FAULTS, *STREAM_FAULTS, ''):
            raise ConfigurationError(f'no fault of pictures {fault!r}')
        self._fault = fault

    def _tick(self) -> None:
        stamp_ns = self.get_clock().now().nanoseconds
        if self._fault == 'late':
            stamp_ns -= round(LATE_S * 1e9)
        if self._fault != 'frozen':
            self._noise = np.roll(self._noise, 1, axis=0)
        message = image_to_message(CameraImage(self._noise, stamp_ns, FRAME))
        if self._fault in PICTURE_FAULTS:
            PICTURE_FAULTS[self._fault](message)
        self._count += 1
        if self._fault == 'slow' and self._count % SLOW_EVERY:
            return
        self._info.publish(camera_to_message(MODEL, stamp_ns, FRAME))
        self._colour.publish(message)
        if self._compressed.get_subscription_count():
            self._compressed.publish(self._compress(message))

    def _compress(self, message: Image) -> CompressedImage:
        encoded = make_bomb()  # made with the first good picture, so that none is late
        if self._fault != 'bomb':
            encoded = cv2.imencode('.jpg', self._noise[..., ::-1])[1].tobytes()
        return CompressedImage(
            header=message.header, format='rgb8; jpeg', data=array.array('B', encoded)
        )


def main() -> int:
    """Take pictures until the runner has gone."""
    return run_node(FakeCamera)


if __name__ == '__main__':
    sys.exit(main())
