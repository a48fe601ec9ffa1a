from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from magma_ros.errors import CameraError
from magma_ros.image.picture_file import LARGEST_PX, read_picture, write_picture

GRADIENT = np.linspace(0, 255, 32 * 48).reshape(32, 48).astype(np.uint8)
COLOURS = np.stack([GRADIENT, GRADIENT[::-1], GRADIENT[:, ::-1]], axis=2)


def save(picture: Image.Image, path: Path, **options: object) -> Path:
    picture.save(path, **options)
    return path


def test_rgb_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / 'a.png'
    write_picture(COLOURS, path)
    assert np.array_equal(read_picture(path), COLOURS)


@pytest.mark.parametrize('mode', ['L', '1', 'LA', 'P', 'RGBA'])
def test_other_png_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    rgb = read_picture(save(Image.fromarray(COLOURS).convert(mode), tmp_path / 'a.png'))
    assert rgb.shape == (32, 48, 3)
    assert rgb.dtype == np.uint8
    assert rgb.std() > 10


@pytest.mark.parametrize('mode', ['L', 'CMYK', 'RGB'])
def test_jpeg_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    picture = Image.fromarray(COLOURS).convert('L').convert(mode)
    rgb = read_picture(save(picture, tmp_path / 'a.jpg', quality=95))
    assert np.abs(rgb.astype(int) - np.asarray(picture.convert('RGB'))).max() < 12


def test_sixteen_bits_keep_their_shades(tmp_path: Path) -> None:
    deep = Image.fromarray(GRADIENT.astype(np.uint16) * 257)
    rgb = read_picture(save(deep, tmp_path / 'a.png'))
    assert np.array_equal(rgb, np.repeat(GRADIENT[:, :, None], 3, axis=2))


def test_transparent_pixels_get_a_white_ground(tmp_path: Path) -> None:
    pixels = np.zeros((32, 48, 4), np.uint8)
    pixels[:, 24:, 3] = 255
    rgb = read_picture(save(Image.fromarray(pixels), tmp_path / 'a.png'))
    assert (rgb[:, :24] == 255).all()
    assert (rgb[:, 24:] == 0).all()


def test_the_cameras_orientation_counts(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right to see it upright
    path = save(Image.fromarray(COLOURS), tmp_path / 'a.jpg', exif=exif)
    assert read_picture(path).shape == (48, 32, 3)


def png_header(width: int, height: int) -> bytes:
    chunk = b'IHDR' + struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    return (
        b'\x89PNG\r\n\x1a\n' + struct.pack('>I', 13) + chunk + struct.pack('>I', zlib.crc32(chunk))
    )


@pytest.mark.parametrize('side', [int(LARGEST_PX**0.5) + 1, 30_000])
def test_huge_pictures_are_refused_by_their_header(tmp_path: Path, side: int) -> None:
    path = tmp_path / 'a.png'
    path.write_bytes(png_header(side, side) + struct.pack('>I', 8) + b'IDAT' + b'\0' * 12)
    with pytest.raises(CameraError, match=r'too large|make it smaller'):
        read_picture(path)


@pytest.mark.parametrize('size', [(1, 1), (15, 400), (400, 15)])
def test_tiny_pictures_are_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    path = save(Image.new('RGB', size), tmp_path / 'a.png')
    with pytest.raises(CameraError, match='at least 16'):
        read_picture(path)


@pytest.mark.parametrize(
    'content', [b'', b'GIF89a', b'%PDF-1.4', b'\x89PNG\r\n\x1a\n', b'\xff\xd8\xff\xe0']
)
def test_what_is_no_picture_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / 'a.png').write_bytes(content)
    with pytest.raises(CameraError, match=r'no JPEG or PNG|damaged'):
        read_picture(tmp_path / 'a.png')


@pytest.mark.parametrize('name', ['a.png', 'a.jpg'])
def test_half_a_file_is_damaged(tmp_path: Path, name: str) -> None:
    whole = save(Image.fromarray(COLOURS), tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CameraError, match='damaged.*copy it again'):
        read_picture(tmp_path / name)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match='does not exist'):
        read_picture(tmp_path / 'a.png')


@pytest.mark.parametrize('name', ['a.gif', 'a', 'none/a.png'])
def test_where_nothing_can_be_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(CameraError, match=r'must end in|cannot be written'):
        write_picture(COLOURS, tmp_path / name)
