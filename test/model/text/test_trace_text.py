from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.data_types import GripperEvent, PixelTrace
from magma_ros.model.text.trace_text import MOST_POINTS, format_trace_answer, parse_trace_answer

GOLDEN = json.loads((Path(__file__).parents[2] / 'golden' / 'trace_answer.json').read_text())
HEAD = 'Mark 1 at [120,80] should be moved, and their future positions are:\n\n'


def parse_to_grid(text: str) -> dict[str, dict]:
    return {
        str(trace.mark): {
            'start': trace.start_px.astype(int).tolist(),
            'future': trace.points_px.astype(int).tolist(),
        }
        for trace in parse_trace_answer(text, 256, 256)
    }


def test_answer_of_magma() -> None:
    assert parse_to_grid(GOLDEN['answer']) == GOLDEN['parsed']


def test_truncated_answer_keeps_whole_points() -> None:
    assert parse_to_grid(GOLDEN['truncated_answer']) == GOLDEN['truncated_parsed']


def test_pixels_scale_by_width_and_height() -> None:
    traces = parse_trace_answer(GOLDEN['answer'], 640, 480)
    for trace in traces:
        assert trace.points_px == pytest.approx(
            np.array(GOLDEN['pixels_640x480'][str(trace.mark)])
        )
    assert format_trace_answer(traces, 640, 480) == GOLDEN['answer']


def test_gripper_tags_belong_to_the_point_before() -> None:
    text = HEAD + '"Mark 1": "[[130,90],[140,99],<action>Close Gripper</action>,[150,80]]"\n\n'
    (trace,) = parse_trace_answer(text, 640, 480)
    assert len(trace.points_px) == 3
    assert trace.events == {1: GripperEvent.CLOSE}
    assert format_trace_answer([trace], 640, 480) == text


@pytest.mark.parametrize(
    ('text', 'points', 'events'),
    [
        (HEAD + '"Mark 1": "[[1,2],[3', [[1, 2]], {}),
        (HEAD + '"Mark 1": "[[1,2],<action>Close Gri', [[1, 2]], {}),
        (HEAD + '"Mark 1": "[<action>Open Gripper</action>,[1,2]]"', [[1, 2]], {}),
        (HEAD + '"Mark 1": "[[ 1 , 2 ], [3,4]]"', [[1, 2], [3, 4]], {}),
        (HEAD + '"Mark 1": "[[1,2]]" "Mark 1": "[[9,9]]"', [[1, 2]], {}),
        (HEAD + '"Mark 1": "[[-3,300]]"', [[-3, 300]], {}),
        (HEAD + '"Mark 1": "[[1,2],<action>Dance</action>,[3,4]]"', [[1, 2], [3, 4]], {}),
        (HEAD + '"Mark 1": "[[1,2],[nan,3],[4],[5,6,7],[1.5,2],[8,9]]"', [[1, 2], [8, 9]], {}),
        (HEAD + '"Mark 1": "[[12345,2],[1,99999999999],[8,9]]"', [[8, 9]], {}),
        (HEAD + '"Mark 1": "[[١,٢],[8,9]]"', [[8, 9]], {}),
        (HEAD + '"Mark 1": "' + '[' * 5000 + '8,9]]"', [[8, 9]], {}),
        ('Mark 1 at [5,5], ' + HEAD + '"Mark 1": "[[8,9]]"', [[8, 9]], {}),
    ],
)
def test_odd_answers(text: str, points: list, events: dict) -> None:
    (trace,) = parse_trace_answer(text, 256, 256)
    assert trace.points_px.tolist() == points
    assert trace.events == events


@pytest.mark.parametrize(
    'text',
    [
        '',
        '兄弟iв aktivit',
        HEAD,
        HEAD + '"Mark 1": "[[1',
        '"Mark 1": "[[1,2]]"',
        HEAD + '"Mark 2": "[[1,2]]"',
        HEAD + '"Mark 1": "__import__(\'os\')"',
    ],
)
def test_no_trace(text: str) -> None:
    assert parse_trace_answer(text, 256, 256) == []


def test_the_first_place_of_a_mark_counts() -> None:
    (trace,) = parse_trace_answer('Mark 1 at [5,6], ' + HEAD + '"Mark 1": "[[8,9]]"', 256, 256)
    assert trace.start_px.tolist() == [5, 6]


def test_endless_lists_are_cut() -> None:
    (trace,) = parse_trace_answer(HEAD + '"Mark 1": "' + '[1,2],' * 100_000, 256, 256)
    assert len(trace.points_px) == MOST_POINTS


@pytest.mark.parametrize('piece', ['"Mark 1":', '"Mark 1": "[', '[', '[1,', '<action>', ' ', '9'])
def test_a_megabyte_is_read_at_once(piece: str) -> None:
    assert parse_trace_answer(HEAD + piece * ((1 << 20) // len(piece)), 256, 256) == []


def test_points_outside_are_written_on_the_edge() -> None:
    trace = PixelTrace(3, np.array([-5.0, 500.0]), np.array([[640.0, 479.9]]))
    text = format_trace_answer([trace], 640, 480)
    assert text.startswith('Mark 3 at [0,255]')
    assert '"Mark 3": "[[255,255]]"' in text


cells = st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255)), min_size=1, max_size=6)


@settings(deadline=None, max_examples=60)
@given(cells, st.dictionaries(st.integers(0, 5), st.sampled_from(GripperEvent)))
def test_round_trip(points: list, events: dict) -> None:
    centres = (np.array(points) + 0.5) * [640 / 256, 480 / 256]
    kept = {index: event for index, event in events.items() if index < len(points)}
    text = format_trace_answer([PixelTrace(1, centres[0], centres, kept)], 640, 480)
    (again,) = parse_trace_answer(text, 640, 480)
    assert again.events == kept
    assert np.abs(again.points_px - centres).max() <= 1.25 + 1e-9


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 400))
def test_any_truncation_gives_a_prefix(length: int) -> None:
    whole = {trace.mark: trace for trace in parse_trace_answer(GOLDEN['answer'], 256, 256)}
    for trace in parse_trace_answer(GOLDEN['answer'][:length], 256, 256):
        expected = whole[trace.mark].points_px[: len(trace.points_px)]
        assert np.array_equal(trace.points_px, expected)
