"""JPEG and PNG of a topic: right colours, bombs refused unread, damage named."""

from __future__ import annotations

import contextlib
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.errors import CameraError
from magma_ros.image import compressed_picture
from magma_ros.image.compressed_picture import LARGEST_BYTES, rgb_from_compressed

RGB = np.zeros((48, 64, 3), np.uint8)
RGB[..., 0], RGB[:24, :, 2] = 200, 90


def encode(suffix: str) -> bytes:
    return cv2.imencode(suffix, RGB[..., ::-1])[1].tobytes()


def png_header(width: int, height: int) -> bytes:
    fields = b'IHDR' + struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    return (
        b'\x89PNG\r\n\x1a\n'
        + struct.pack('>I', 13)
        + fields
        + struct.pack('>I', zlib.crc32(fields))
    )


def jpeg_of_size(width: int, height: int) -> bytes:
    octets = bytearray(encode('.jpg'))
    at = octets.index(b'\xff\xc0')
    octets[at + 5 : at + 9] = struct.pack('>HH', height, width)
    return bytes(octets)


@pytest.mark.parametrize(('suffix', 'off'), [('.png', 0.0), ('.jpg', 1.0)])
def test_colours_survive(suffix: str, off: float) -> None:
    rgb = rgb_from_compressed(encode(suffix), 'camera')

    assert np.abs(rgb.astype(int) - RGB).mean() <= off


@pytest.mark.parametrize(
    'data', [png_header(9000, 9000), jpeg_of_size(20_000, 20_000), png_header(0, 480)]
)
def test_bombs_are_refused_before_they_are_unpacked(monkeypatch, data: bytes) -> None:
    monkeypatch.setattr(compressed_picture.cv2, 'imdecode', lambda *_: pytest.fail('unpacked'))

    with pytest.raises(CameraError, match='CAMERA_FORMAT: .*it was not unpacked'):
        rgb_from_compressed(data, 'camera')


@pytest.mark.parametrize(
    'data',
    [
        b'',
        b'GIF89a',
        b'\xff\xd8',
        b'\xff\xd8\xff\xe0\xff\xff',
        bytes(LARGEST_BYTES + 1),
        png_header(64, 48),
        encode('.png')[:90],
        jpeg_of_size(64, 4000)[:300],
    ],
    ids=['empty', 'gif', 'start', 'lying length', 'large', 'header', 'cut png', 'cut jpeg'],
)
def test_what_is_no_picture_is_named(data: bytes) -> None:
    with pytest.raises(CameraError, match='CAMERA_FORMAT: .*camera'):
        rgb_from_compressed(data, 'camera')


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(['.png', '.jpg']), st.data())
def test_whatever_is_flipped_it_is_a_picture_of_that_size_or_an_error(suffix, data) -> None:
    octets = bytearray(encode(suffix))
    for _ in range(3):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(CameraError):  # the only error there may be
        rgb = rgb_from_compressed(bytes(octets), 'camera')
        assert rgb.ndim == 3
        assert rgb.shape[0] * rgb.shape[1] <= compressed_picture.LARGEST_PX
