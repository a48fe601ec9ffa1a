"""Trace-of-Mark answers: text of the model <-> traces in pixels of the source picture.

Magma's grid is 256 x 256 over the whole picture, x first; width and height scale separately. The
list of a mark may also hold HAMSTER's gripper tags, which belong to the point before them
(magma-nano's paths). Nothing is evaluated: points and tags are found by pattern, in time linear in
the text, so a truncated, odd or hostile answer gives what is certain and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from magma_ros.data_types import FloatArray, GripperEvent, PixelTrace

GRID = 256
MOST_POINTS = 256  # of one mark; what follows is left out

# Whole numbers of at most four ASCII digits: longer ones are no place, and int() takes any script.
_POINT = r'\[\s*(-?[0-9]{1,4})\s*,\s*(-?[0-9]{1,4})\s*\]'
MARK_AT = re.compile(r'Mark ([0-9]{1,4}) at ' + _POINT)
_LIST = re.compile(r'"Mark ([0-9]{1,4})":\s*"([^"]*)')
_CLOSED = re.compile(r'(\]|</action>)\s*\]\s*$')
_ENTRY = re.compile(_POINT + r'|<action>\s*(Open Gripper|Close Gripper)\s*</action>')


def format_trace_answer(traces: Sequence[PixelTrace], width_px: int, height_px: int) -> str:
    """The text Magma answers with, for training; points outside are put on the edge."""
    places, lists = {}, {}
    for trace in traces:
        places[trace.mark] = _cell(trace.start_px, width_px, height_px)
        entries = []
        for index, point_px in enumerate(trace.points_px):
            entries.append(_cell(point_px, width_px, height_px))
            if index in trace.events:
                entries.append(f'<action>{trace.events[index].value}</action>')
        lists[trace.mark] = ','.join(entries)
    return _answer(places, lists)


def format_trace_cells(marks: Mapping[int, Sequence[tuple[int, int]]]) -> str:
    """The same of whole grid coordinates as they are; the first of each mark is where it is."""
    texts = {mark: [f'[{x},{y}]' for x, y in cells] for mark, cells in marks.items()}
    return _answer(
        {mark: cells[0] for mark, cells in texts.items()},
        {mark: ','.join(cells[1:]) for mark, cells in texts.items()},
    )


def parse_trace_answer(text: str, width_px: int, height_px: int) -> list[PixelTrace]:
    """Traces of an answer, in the order of the text; empty if it holds none.

    Left out are marks without a present position or without a complete point, repeated places and
    lists of one mark, everything in a list that is not a pair of whole numbers (points cut off by
    the end of the answer among them) or a gripper tag, tags before the first point, and points
    after the first MOST_POINTS. Points may lie outside the picture: tracks do leave it.
    """
    starts: dict[int, tuple[int, int]] = {}
    for mark_text, x, y in MARK_AT.findall(text):
        starts.setdefault(int(mark_text), (int(x), int(y)))
    traces: dict[int, PixelTrace] = {}
    for mark_text, body in _LIST.findall(text):
        mark = int(mark_text)
        cells, events = _read_entries(body)
        if cells and mark in starts and mark not in traces:
            start_px = grid_to_pixels([starts[mark]], width_px, height_px)[0]
            points_px = grid_to_pixels(cells, width_px, height_px)
            traces[mark] = PixelTrace(mark, start_px, points_px, events)
    return list(traces.values())


def is_trace_complete(text: str, steps: int) -> bool:
    """Whether an answer, still being written, holds all that was asked for.

    That is when the list of every mark that the first sentence names is closed, or has gone on
    for more than ``steps`` points. A list with just as many may still get a gripper tag.
    """
    header, is_said, _ = text.partition('should be moved')
    named = {int(mark) for mark, _, _ in MARK_AT.findall(header)} if is_said else set()
    complete = {
        int(mark)
        for mark, body in _LIST.findall(text)
        if _CLOSED.search(body) or len(_read_entries(body)[0]) > steps
    }
    return bool(named) and named <= complete


def grid_to_pixels(cells: Sequence[tuple[int, int]], width_px: int, height_px: int) -> FloatArray:
    """(n, 2) grid coordinates -> (n, 2) pixels of a picture of this size."""
    return np.array(cells, dtype=float).reshape(-1, 2) * [width_px / GRID, height_px / GRID]


def pixels_to_grid(points_px: FloatArray, width_px: int, height_px: int) -> FloatArray:
    """(..., 2) pixels -> whole grid coordinates 0..255 (rounded down, limited to the picture)."""
    return np.clip(np.floor(points_px * [GRID / width_px, GRID / height_px]), 0, GRID - 1)


def mark_cells(
    marks: Mapping[int, FloatArray], width_px: int, height_px: int
) -> dict[int, tuple[int, int]]:
    """Marks in pixels -> whole grid coordinates, for a prompt that says where they are."""
    cells = {mark: pixels_to_grid(at, width_px, height_px) for mark, at in marks.items()}
    return {mark: (int(x), int(y)) for mark, (x, y) in cells.items()}


def _answer(places: Mapping[int, str], lists: Mapping[int, str]) -> str:
    positions = ', '.join(f'Mark {mark} at {place}' for mark, place in places.items())
    futures = ''.join(f'"Mark {mark}": "[{points}]"\n\n' for mark, points in lists.items())
    return f'{positions} should be moved, and their future positions are:\n\n{futures}'


def _cell(point_px: FloatArray, width_px: int, height_px: int) -> str:
    x, y = pixels_to_grid(point_px, width_px, height_px)
    return f'[{int(x)},{int(y)}]'


def _read_entries(body: str) -> tuple[list[tuple[int, int]], dict[int, GripperEvent]]:
    cells: list[tuple[int, int]] = []
    events: dict[int, GripperEvent] = {}
    for x, y, event in _ENTRY.findall(body):
        if not event and len(cells) == MOST_POINTS:
            break
        if not event:
            cells.append((int(x), int(y)))
        elif cells:
            events[len(cells) - 1] = GripperEvent(event)
    return cells, events
