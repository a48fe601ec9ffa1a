"""Raw pictures to compressed ones without decoding a message: CDR of sensor_msgs in and out.

Layout: ``sensor_msgs/msg/Image.msg`` and ``CompressedImage.msg`` (``cdr.py``). OpenCV
encodes without holding Python's lock.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from magma_ros.dataset.cdr import LITTLE_ENDIAN, CdrReader, cdr_octets, cdr_string, padded
from magma_ros.dataset.recorded_topic import Arrival
from magma_ros.errors import RecordingError

StillKind = Literal['jpeg', 'png']
IMAGE, COMPRESSED_IMAGE = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
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
class Picture:
    """What an Image holds; colours in the order blue, green, red."""

    header: bytes  # stamp and frame_id as they came
    encoding: str
    pixels: NDArray


def compress_image(
    arrival: Arrival, picture: Picture, kind: StillKind, jpeg_quality: int
) -> Arrival:
    """A CompressedImage of the topic's ``/compressed``; depth becomes PNG, always.

    Raises:
        RecordingError: OpenCV does not do it, such as a JPEG of more than 65500 pixels in width.
    """
    is_jpeg = kind == 'jpeg' and picture.pixels.dtype == np.uint8
    suffix, options = (
        ('.jpg', [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality])
        if is_jpeg
        else ('.png', [cv2.IMWRITE_PNG_COMPRESSION, 1])
    )
    is_done, encoded = cv2.imencode(suffix, picture.pixels, options)
    if not is_done:
        size = 'x'.join(map(str, picture.pixels.shape[1::-1]))
        raise RecordingError(f'{arrival.topic}: OpenCV makes no {suffix} of {size} pixels')
    # As image_transport's compressed publisher writes it.
    colour = ' bgr8' if picture.pixels.ndim == 3 else ''
    text = f'{picture.encoding}; {"jpeg" if is_jpeg else "png"} compressed{colour}'
    data = LITTLE_ENDIAN + padded(picture.header) + padded(cdr_string(text))
    data += cdr_octets(encoded.tobytes())
    return Arrival(compressed_name(arrival.topic), data, arrival.received_ns, arrival.published_ns)


def compressed_name(topic: str) -> str:
    """Where the compressed pictures of a topic are found."""
    return f'{topic}/compressed'


def read_image(arrival: Arrival) -> Picture:
    """The parts of an Image, the pixels without a copy where that is possible.

    Raises:
        RecordingError: no Image, or of an encoding that cannot be compressed.
    """
    try:
        return _parse_image(arrival.data)
    except (struct.error, UnicodeDecodeError, ValueError) as error:
        raise RecordingError(
            f'{arrival.topic}: not a picture that can be compressed ({error})'
        ) from error


def rgb_image(header: bytes, rgb: NDArray[np.uint8]) -> bytes:
    """A serialised Image of (height, width, 3) pixels, with the header of another message."""
    height, width, _ = rgb.shape
    data = padded(header) + struct.pack('<II', height, width) + cdr_string('rgb8') + b'\0'
    return LITTLE_ENDIAN + padded(data) + struct.pack('<I', 3 * width) + cdr_octets(rgb.tobytes())


def _parse_image(message: bytes) -> Picture:
    fields = CdrReader(message)
    fields.numbers(2)  # the stamp
    fields.octets()  # the frame
    header = bytes(fields.body[: fields.at])
    height, width = fields.numbers(2)
    encoding = fields.text()
    fields.byte()  # is_bigendian
    (step,) = fields.numbers(1)
    data = fields.octets()
    if encoding not in LAYOUTS:
        raise ValueError(f'encoding {encoding[:20]!r}, known are {", ".join(LAYOUTS)}')
    kind, channels, conversion = LAYOUTS[encoding]
    row = width * channels * np.dtype(kind).itemsize
    if not (0 < height * width <= LARGEST_PX and row <= step and height * step == len(data)):
        raise ValueError(f'{width}x{height} with rows of {step} in {len(data)} bytes')
    rows = np.frombuffer(data, np.uint8).reshape(height, step)[:, :row]
    shape = (height, width, channels) if channels > 1 else (height, width)
    pixels = np.ascontiguousarray(rows).view(kind).reshape(shape)
    if conversion is not None:
        pixels = cv2.cvtColor(pixels, conversion)
    return Picture(header, encoding, pixels)
