from __future__ import annotations

import json
from pathlib import Path

import pytest

from magma_ros.model.text.mark_text import Click, parse_click, parse_marks

GOLDEN = json.loads((Path(__file__).parents[2] / 'golden' / 'trace_answer.json').read_text())


def test_marks_of_magma() -> None:
    marks = parse_marks(GOLDEN['som_answer']['answer'], 256, 256)
    assert {str(mark): place.tolist() for mark, place in marks.items()} == (
        GOLDEN['som_answer']['parsed']
    )


def test_marks_in_pixels() -> None:
    assert parse_marks('Mark 2 at [128,64]', 640, 480)[2] == pytest.approx([320.0, 120.0])


@pytest.mark.parametrize('case', GOLDEN['ui_answers'], ids=lambda case: case['answer'])
def test_clicks_of_magma(case: dict) -> None:
    place = tuple(case.get('coordinate') or case['box'])
    assert parse_click(case['answer']) == Click(place, case['mark'])


def test_click_without_mark() -> None:
    assert parse_click('Coordinate: (0.5, 0.5)') == Click((0.5, 0.5), None)


@pytest.mark.parametrize(
    'text',
    ['', 'no idea', 'Coordinate: (0.1)', 'Coordinate: (512, 30)', 'Coordinate: (0.1, 0.2, 0.3)'],
)
def test_no_click(text: str) -> None:
    assert parse_click(text) is None
