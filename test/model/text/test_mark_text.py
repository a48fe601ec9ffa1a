from __future__ import annotations

import json
from pathlib import Path

import pytest

from magma_ros.model.text.mark_text import Click, parse_click, parse_mark_number, parse_marks

GOLDEN = json.loads((Path(__file__).parents[2] / 'golden' / 'trace_answer.json').read_text())
MB = 1 << 20


def test_marks_of_magma() -> None:
    marks = parse_marks(GOLDEN['som_answer']['answer'], 256, 256)
    assert {str(mark): place.tolist() for mark, place in marks.items()} == (
        GOLDEN['som_answer']['parsed']
    )


def test_marks_in_pixels() -> None:
    assert parse_marks('Mark 2 at [128,64]', 640, 480)[2] == pytest.approx([320.0, 120.0])


@pytest.mark.parametrize(
    ('text', 'marks'),
    [
        ('', {}),
        ('兄弟iв aktivit', {}),
        ('Mark 1 at [12, 200], Mark 2 at [3,4]', {1: [12, 200], 2: [3, 4]}),
        ('Mark 1 at [1,2]. Mark 1 at [9,9]. Mark 2 at [3,4]', {1: [1, 2], 2: [3, 4]}),
        ('Mark 1 at [1,2]. Mark 2 at [3', {1: [1, 2]}),
        ('Mark 1 at [-3,300]', {1: [-3, 300]}),
        ('Mark 1 at [1.5,2]. Mark 2 at [nan,2]. Mark 3 at [1]. Mark 4 at [1,2,3]', {}),
        ('Mark 99999 at [1,2]. Mark 1 at [99999,2]', {}),
        ('Mark ١ at [١,٢]', {}),
        ('Mark 1 at ' + '[' * 5000 + '1,2]', {}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_odd_mark_answers(text: str, marks: dict) -> None:
    found = parse_marks(text, 256, 256)
    assert {mark: place.tolist() for mark, place in found.items()} == marks


@pytest.mark.parametrize('case', GOLDEN['ui_answers'], ids=lambda case: case['answer'])
def test_clicks_of_magma(case: dict) -> None:
    place = tuple(case.get('coordinate') or case['box'])
    assert parse_click(case['answer']) == Click(place, case['mark'])


@pytest.mark.parametrize(
    ('text', 'click'),
    [
        ('Coordinate: (0.5, 0.5)', Click((0.5, 0.5), None)),
        ('Coordinate:(0,1). Mark: 0', Click((0.0, 1.0), 0)),
        ('Sure! Coordinate: (.5, 1.0) Mark: 3', Click((0.5, 1.0), 3)),
        ('Coordinate: (0.5, 0.5). Mark: many', Click((0.5, 0.5), None)),
        ('Coordinate: (0.5, 0.5). Mark: ' + '9' * 5000, Click((0.5, 0.5), None)),
        ('Coordinate: (0.1, 0.2). Mark: 1. Coordinate: (0.3, 0.4)', Click((0.1, 0.2), 1)),
    ],
    ids=lambda value: str(value)[:40],
)
def test_other_clicks(text: str, click: Click) -> None:
    assert parse_click(text) == click


@pytest.mark.parametrize(
    'text',
    [
        '',
        'no idea',
        'Coordinate: (0.1)',
        'Coordinate: (512, 30)',
        'Coordinate: (0.1, 0.2, 0.3)',
        'Coordinate: (0.1, nan, 0.3)',
        'Coordinate: (0.1, inf)',
        'Coordinate: (-0.1, 0.2)',
        'Coordinate: (0.1, 1e-1)',
        'Coordinate: (0.1, .)',
        'Coordinate: (0.1 0.2)',
        'Coordinate: (٠.١, ٠.٢)',
        'Coordinate: (0.1, ' + '0' * 5000 + ')',
        'Coordinate: ' + '(' * 5000 + '0.1, 0.2)',
    ],
    ids=lambda text: text[:40],
)
def test_no_click(text: str) -> None:
    assert parse_click(text) is None


@pytest.mark.parametrize('piece', ['Coordinate: (', 'Coordinate:', ' ', '0', 'Mark 1 at [', '('])
def test_a_megabyte_is_read_at_once(piece: str) -> None:
    text = piece * (MB // len(piece))
    assert parse_click(text) is None
    assert parse_marks(text, 256, 256) == {}


@pytest.mark.parametrize(
    ('text', 'number'),
    [
        ('Mark 3 at [12,40]', 3),
        ('It is mark: 12.', 12),
        ('Coordinate: (0.04, 0.12). Mark: 12', 12),
        (' 7. ', 7),
        ('Mark 3, yes, mark 3', 3),
        ('Mark 3 or mark 4', None),
        ('a red cube', None),
        ('landmark', None),
        ('7 cubes', None),
        ('Mark 12345', None),
        ('', None),
        ('mark ' * 1000, None),
    ],
)
def test_the_one_mark_that_is_named(text: str, number: int | None) -> None:
    assert parse_mark_number(text) == number
