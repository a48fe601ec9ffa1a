"""JPEG and PNG of a camera topic -> RGB; the size is read from the header before anything else.

A PNG of 236 kB can unpack to 243 MB, so that the size of the message says nothing about the size
of the picture. Formats: PNG (W3C), 11.2.2 IHDR; JPEG (ITU-T T.81), B.2.2 frame header.
"""

from __future__ import annotations

import struct

import cv2
import numpy as np
from numpy.typing import NDArray

from magma_ros.errors import CameraError

LARGEST_PX = 3840 * 2160
LARGEST_BYTES = 32 * 2**20
PNG_HEAD = b'\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR'
JPEG_HEAD = b'\xff\xd8'
FRAME_HEADERS = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # SOF0 to SOF15
STANDALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a length


def rgb_from_compressed(data: bytes | NDArray[np.uint8], frame: str) -> NDArray[np.uint8]:
    """(height, width, 3) RGB. ``frame``: of the camera, for errors.

    Raises:
        CameraError: it is neither JPEG nor PNG, too large, or damaged.
    """
    octets = bytes(data) if len(data) <= LARGEST_BYTES else b''
    width, height = _read_size(octets, frame, len(data))
    if width * height > LARGEST_PX or min(width, height) < 1:
        raise CameraError(
            f'CAMERA_FORMAT: the compressed picture of {frame} would have {width} x {height} '
            f'pixels, and {LARGEST_PX} are read at most; it was not unpacked'
        )
    # The size was read as the decoder reads it: no turning by orientation tags.
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        bgr = cv2.imdecode(np.frombuffer(octets, np.uint8), flags)
    except cv2.error as error:
        raise CameraError(f'CAMERA_FORMAT: the picture of {frame} is damaged: {error}') from error
    if bgr is None or bgr.shape != (height, width, 3):
        raise CameraError(f'CAMERA_FORMAT: the compressed picture of {frame} is damaged')
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def _read_size(octets: bytes, frame: str, count: int) -> tuple[int, int]:
    size = None
    if octets.startswith(PNG_HEAD) and len(octets) >= 24:
        size = struct.unpack('>II', octets[16:24])
    elif octets.startswith(JPEG_HEAD):
        size = _read_jpeg_size(octets)
    if size is None:
        raise CameraError(
            f'CAMERA_FORMAT: {count} bytes of {frame} are neither a JPEG nor a PNG of at most '
            f'{LARGEST_BYTES} bytes; set compressed_image_transport to one of these'
        )
    return size


def _read_jpeg_size(octets: bytes) -> tuple[int, int] | None:
    """(width, height) of the first frame header; every JPEG decoder stops there, too."""
    at = 2
    while at + 9 <= len(octets) and octets[at] == 0xFF:
        marker = octets[at + 1]
        if marker == 0xFF:  # fill
            at += 1
        elif marker in STANDALONE:
            at += 2
        elif marker in FRAME_HEADERS:
            height, width = struct.unpack('>HH', octets[at + 5 : at + 9])
            return width, height
        else:
            at += 2 + struct.unpack('>H', octets[at + 2 : at + 4])[0]
    return None
