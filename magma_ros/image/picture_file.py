"""Picture files of any origin -> the RGB bytes everything else works on, and back."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from magma_ros.errors import CameraError

FORMATS = ('JPEG', 'PNG')
SMALLEST_SIDE_PX = 16
LARGEST_PX = 50_000_000  # 150 MB as RGB; checked in the header, before anything is unpacked
SIXTEEN_BITS = ('I;16', 'I;16L', 'I;16B', 'I;16N')
BACKGROUND = (255, 255, 255)  # behind transparent pixels


def read_picture(path: Path) -> NDArray[np.uint8]:
    """(height, width, 3) RGB, upright as the camera's orientation tag says.

    Grey, 16-bit grey, palette and CMYK pictures are converted; transparent pixels get a white
    ground.

    Raises:
        CameraError: there is no such file, it is no JPEG or PNG, damaged, too large or too small.
    """
    if not path.is_file():
        raise CameraError(f'{path} does not exist: give a .jpg or .png')
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', Image.DecompressionBombWarning)  # our limit is below
            with Image.open(path, formats=FORMATS) as picture:
                _check_size(path, *picture.size)
                rgb = _to_rgb(ImageOps.exif_transpose(picture))
    except Image.DecompressionBombError as error:
        raise CameraError(f'{path} is too large ({error}): make it smaller') from error
    except UnidentifiedImageError as error:
        raise CameraError(f'{path} is no JPEG or PNG: convert it first') from error
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises at broken contents
        raise CameraError(f'{path} is damaged ({error}): copy it again') from error
    return np.array(rgb, dtype=np.uint8)


def write_picture(rgb: NDArray[np.uint8], path: Path) -> None:
    """Writes a .jpg or .png.

    Raises:
        CameraError: the name ends in something else, or the folder cannot be written to.
    """
    if path.suffix.lower() not in ('.jpg', '.jpeg', '.png'):
        raise CameraError(f'{path} must end in .jpg or .png')
    try:
        Image.fromarray(rgb).save(path, quality=92)
    except OSError as error:
        raise CameraError(f'{path} cannot be written ({error}): choose another folder') from error


def _check_size(path: Path, width_px: int, height_px: int) -> None:
    size = f'{path} has {width_px} x {height_px} pixels'
    if width_px * height_px > LARGEST_PX:
        raise CameraError(f'{size}, at most {LARGEST_PX} in all are read: make it smaller')
    if min(width_px, height_px) < SMALLEST_SIDE_PX:
        raise CameraError(
            f'{size}, but each side must have at least {SMALLEST_SIDE_PX}: give the original'
        )


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode in SIXTEEN_BITS:
        # Pillow would cut off everything above 255.
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8)).convert('RGB')
    if picture.has_transparency_data:
        ground = Image.new('RGBA', picture.size, (*BACKGROUND, 255))
        return Image.alpha_composite(ground, picture.convert('RGBA')).convert('RGB')
    return picture.convert('RGB')
