"""Numbered marks drawn into a picture, as Magma's Set-of-Mark training draws them.

Source: facts of Magma ``data/conversations.py``: white digits on a filled red disc whose radius is
half of the text's longer side and a pixel; digits grow until "55" is 3 % of the picture's width
high. Magma writes them in Arial, here they are in the font that comes with Pillow.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from magma_ros.data_types import FloatArray

DISC_RGB = (255, 0, 0)
DIGIT_RGB = (255, 255, 255)
TEXT_SHARE = 0.03  # smaller side of "55" per width of the picture
SMALLEST_FONT_PX = 6


def draw_marks(rgb: NDArray[np.uint8], places_px: Mapping[int, FloatArray]) -> NDArray[np.uint8]:
    """A copy of the picture with each mark centred on its place (x, y); outside ones are cut."""
    canvas = Image.fromarray(rgb)
    draw = ImageDraw.Draw(canvas)
    font = _font(canvas.width)
    for mark, place_px in places_px.items():
        x, y = np.clip(place_px, -1e4, 1e4).tolist()
        left, top, right, bottom = draw.textbbox((0, 0), str(mark), font=font)
        radius = max(right - left, bottom - top) // 2 + 1
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=DISC_RGB)
        corner = (x - (left + right) / 2, y - (top + bottom) / 2)
        draw.text(corner, str(mark), fill=DIGIT_RGB, font=font)
    return np.array(canvas, dtype=np.uint8)


def mark_radius_px(width_px: int) -> int:
    """Of the disc under a number of two digits, in a picture of this width."""
    left, top, right, bottom = _font(width_px).getbbox('55')
    return int(max(right - left, bottom - top)) // 2 + 1


@lru_cache(maxsize=8)
def _font(width_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    size = SMALLEST_FONT_PX
    while True:
        font = ImageFont.load_default(size)
        left, top, right, bottom = font.getbbox('55')
        if min(right - left, bottom - top) >= TEXT_SHARE * width_px:
            return font
        size += max(1, size // 8)
