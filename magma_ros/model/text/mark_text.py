"""Set-of-Mark and click answers: text of the model -> positions."""

from __future__ import annotations

import re
from dataclasses import dataclass

from magma_ros.data_types import FloatArray
from magma_ros.model.text.trace_text import MARK_AT, grid_to_pixels

_CLICK = re.compile(r'Coordinate:\s*\(([^)]*)\)(?:\.?\s*Mark:\s*(\d+))?')
_NUMBER = re.compile(r'-?\d+(?:\.\d+)?')


@dataclass(frozen=True)
class Click:
    """Where to click, in 0..1: (x, y) or a box (x0, y0, x1, y1), and the mark if named."""

    place: tuple[float, ...]
    mark: int | None


def parse_marks(text: str, width_px: int, height_px: int) -> dict[int, FloatArray]:
    """``Mark 1 at [x,y]. Mark 2 at [x,y]`` -> pixels of each mark; the first mention wins."""
    marks: dict[int, FloatArray] = {}
    for mark, x, y in MARK_AT.findall(text):
        marks.setdefault(int(mark), grid_to_pixels([(int(x), int(y))], width_px, height_px)[0])
    return marks


def parse_click(text: str) -> Click | None:
    """``Coordinate: (0.04, 0.12). Mark: 12`` -> Click; none unless two or four numbers in 0..1."""
    match = _CLICK.search(text)
    if match is None:
        return None
    place = tuple(float(number) for number in _NUMBER.findall(match.group(1)))
    if len(place) not in (2, 4) or not all(0.0 <= value <= 1.0 for value in place):
        return None
    return Click(place, int(match.group(2)) if match.group(2) else None)
