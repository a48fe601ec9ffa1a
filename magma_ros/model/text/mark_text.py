"""Set-of-Mark and click answers: text of the model -> positions. Nothing is evaluated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from magma_ros.data_types import FloatArray
from magma_ros.model.text.trace_text import MARK_AT, grid_to_pixels

# Lengths are bounded, so that the time stays linear in the text whatever it holds.
_CLICK = re.compile(
    r'Coordinate:\s{0,8}\(([^()]{1,80})\)(?:\.?\s{0,8}Mark:\s{0,8}([0-9]{1,4})(?![0-9]))?'
)
_NAMED = re.compile(r'(?i)\bmark:?\s{0,4}([0-9]{1,4})(?![0-9])')
_ALONE = re.compile(r'\s*([0-9]{1,4})\.?\s*')
_NUMBER = re.compile(r'\s*([0-9]{0,8}\.?[0-9]{0,16})\s*')


@dataclass(frozen=True)
class Click:
    """Where to click, in 0..1: (x, y) or a box (x0, y0, x1, y1), and the mark if named."""

    place: tuple[float, ...]
    mark: int | None


def format_marks_answer(cells: Mapping[int, tuple[int, int]]) -> str:
    """The text Magma answers with, for training; by number."""
    return '. '.join(f'Mark {mark} at [{x},{y}]' for mark, (x, y) in sorted(cells.items()))


def parse_marks(text: str, width_px: int, height_px: int) -> dict[int, FloatArray]:
    """``Mark 1 at [x,y]. Mark 2 at [x,y]`` -> pixels of each mark; the first mention wins.

    Left out is what has not exactly this form, and what the end of the answer cut off.
    """
    marks: dict[int, FloatArray] = {}
    for mark, x, y in MARK_AT.findall(text):
        marks.setdefault(int(mark), grid_to_pixels([(int(x), int(y))], width_px, height_px)[0])
    return marks


def parse_click(text: str) -> Click | None:
    """``Coordinate: (0.04, 0.12). Mark: 12`` -> Click.

    The first coordinate counts. It is none unless it holds two or four numbers, all in 0..1;
    numbers in thousandths, as some of Magma's box answers have, are not guessed at. A mark of
    more than four digits is no mark.
    """
    match = _CLICK.search(text)
    if match is None:
        return None
    place = [_read_share(number) for number in match.group(1).split(',')]
    if len(place) not in (2, 4) or None in place:
        return None
    shares = tuple(share for share in place if share is not None)
    return Click(shares, int(match.group(2)) if match.group(2) else None)


def parse_mark_number(text: str) -> int | None:
    """The mark that an answer to "which mark ...?" names: ``Mark 3``, ``mark: 3`` or ``3.``.

    None when it names none, or several.
    """
    alone = _ALONE.fullmatch(text)
    named = {int(number) for number in ([alone[1]] if alone else _NAMED.findall(text))}
    return named.pop() if len(named) == 1 else None


def _read_share(text: str) -> float | None:
    match = _NUMBER.fullmatch(text)
    if match is None or match.group(1) in ('', '.'):
        return None
    share = float(match.group(1))
    return share if share <= 1.0 else None
