"""Raw pictures to compressed ones without decoding a message: CDR of sensor_msgs in and out.

Layout: OMG DDS-RTPS 10.2 (plain CDR, little endian), ``sensor_msgs/msg/Image.msg`` and
``CompressedImage.msg``. OpenCV encodes without holding Python's lock.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from magma_ros.dataset.recorded_topic import Arrival
from magma_ros.errors import RecordingError

PictureKind = Literal['as_is', 'jpeg', 'png']
IMAGE, COMPRESSED_IMAGE = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
LITTLE_ENDIAN = b'\x00\x01\x00\x00'
LARGEST_PX = 64 * 1024**2
# Encoding -> type and channels of the array, and what OpenCV must do before it encodes.
LAYOUTS: dict[str, tuple[str, int, int | None]] = {
    'rgb8': ('u1', 3, cv2.COLOR_RGB2BGR),
    'bgr8': ('u1', 3, None),
    'rgba8': ('u1', 4, cv2.COLOR_RGBA2BGR),
    'bgra8': ('u1', 4, cv2.COLOR_BGRA2BGR),
    'mono8': ('u1', 1, None),
    '8UC1': ('u1', 1, None),
    'mono16': ('<u2', 1, None),
    '16UC1': ('<u2', 1, None),
}


@dataclass(frozen=True)
class _Picture:
    header: bytes  # stamp and frame_id as they came
    encoding: str
    pixels: NDArray


def compress_image(arrival: Arrival, kind: PictureKind, jpeg_quality: int) -> Arrival:
    """A CompressedImage of the topic's ``/compressed`` for an Image; depth becomes PNG, always.

    Raises:
        RecordingError: no Image, or of an encoding that cannot be compressed.
    """
    try:
        picture = _read_image(arrival.data)
    except (struct.error, UnicodeDecodeError, ValueError) as error:
        raise RecordingError(
            f'{arrival.topic}: not a picture that can be compressed ({error}); record it as_is'
        ) from error
    is_jpeg = kind == 'jpeg' and picture.pixels.dtype == np.uint8
    suffix, options = (
        ('.jpg', [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality])
        if is_jpeg
        else ('.png', [cv2.IMWRITE_PNG_COMPRESSION, 1])
    )
    _, encoded = cv2.imencode(suffix, picture.pixels, options)
    # As image_transport's compressed publisher writes it.
    colour = ' bgr8' if picture.pixels.ndim == 3 else ''
    text = f'{picture.encoding}; {"jpeg" if is_jpeg else "png"} compressed{colour}'
    data = LITTLE_ENDIAN + _padded(picture.header) + _padded(_string(text))
    data += struct.pack('<I', encoded.size) + encoded.tobytes()
    return Arrival(compressed_name(arrival.topic), data, arrival.received_ns, arrival.published_ns)


def compressed_name(topic: str) -> str:
    """Where the compressed pictures of a topic are found."""
    return f'{topic}/compressed'


def _read_image(message: bytes) -> _Picture:
    """The parts of an Image, the pixels without a copy where that is possible."""
    if message[:2] != LITTLE_ENDIAN[:2]:
        raise ValueError('its CDR is not little endian')
    body = memoryview(message)[4:]
    frame_end = 12 + struct.unpack_from('<I', body, 8)[0]
    at = _aligned(frame_end)
    height, width, length = struct.unpack_from('<III', body, at)
    encoding = bytes(body[at + 12 : at + 12 + length]).rstrip(b'\0').decode()
    at = _aligned(at + 12 + length + 1)  # behind is_bigendian
    step, size = struct.unpack_from('<II', body, at)
    if encoding not in LAYOUTS:
        raise ValueError(f'encoding {encoding[:20]!r}, known are {", ".join(LAYOUTS)}')
    kind, channels, conversion = LAYOUTS[encoding]
    row = width * channels * np.dtype(kind).itemsize
    if not (0 < height * width <= LARGEST_PX and row <= step and height * step == size):
        raise ValueError(f'{width}x{height} with rows of {step} in {size} bytes')
    rows = np.frombuffer(body, np.uint8, size, at + 8).reshape(height, step)[:, :row]
    shape = (height, width, channels) if channels > 1 else (height, width)
    pixels = np.ascontiguousarray(rows).view(kind).reshape(shape)
    if conversion is not None:
        pixels = cv2.cvtColor(pixels, conversion)
    return _Picture(bytes(body[:frame_end]), encoding, pixels)


def _aligned(at: int) -> int:
    return (at + 3) // 4 * 4


def _padded(data: bytes) -> bytes:
    return data.ljust(_aligned(len(data)), b'\0')


def _string(text: str) -> bytes:
    return struct.pack('<I', len(text) + 1) + text.encode() + b'\0'
