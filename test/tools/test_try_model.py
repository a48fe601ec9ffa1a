from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from magma_ros.image.picture_file import read_picture
from magma_ros.model.prompted_model import PromptedModel
from magma_ros.resources import asset_path
from magma_ros.tools.magma import main

BOWL = asset_path('pictures/cubes_and_bowl.jpg')
CANS = asset_path('pictures/cubes_and_cans.jpg')
STATE = ['--state', '0.25', '0', '0.2', '0', '0', '0', '1']


def try_model(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict]:
    code = main(['try', *map(str, words), '--json'])
    return code, json.loads(capsys.readouterr().out)


def shade_at(picture: np.ndarray, place_px: list[float]) -> np.ndarray:
    x, y = (round(value) for value in place_px)
    return picture[y - 3 : y + 4, x - 3 : x + 4].reshape(-1, 3).mean(axis=0)


@pytest.mark.parametrize(
    ('path', 'sentence', 'colour'),
    [(BOWL, 'put the red cube in the white bowl', 0), (CANS, 'pick up the green cube', 1)],
)
def test_the_gripper_closes_at_what_was_named(
    path: Path, sentence: str, colour: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / 'out.png'
    code, report = try_model(capsys, path, sentence, '--trace', '--save', saved)

    assert code == 0
    (trace,) = report['traces']
    index = next(int(at) for at, event in trace['events'].items() if event == 'Close Gripper')
    picture = read_picture(path)
    assert np.argmax(shade_at(picture, trace['points_px'][index])) == colour
    assert shade_at(picture, trace['points_px'][index]).std() > 30  # a colour, not the table
    drawn = read_picture(saved)
    assert drawn.shape == picture.shape
    assert not np.array_equal(drawn, picture)


def test_actions_have_units_and_statistics(capsys: pytest.CaptureFixture[str]) -> None:
    code, report = try_model(capsys, BOWL, 'pick up the red cube')

    assert code == 0
    assert report['model'] == 'magma-nano'
    assert len(report['ids']) == 7
    assert report['statistics'] == 'magma_nano_sim'
    assert list(report['delta']) == ['dx', 'dy', 'dz', 'droll', 'dpitch', 'dyaw', 'gripper']
    assert max(abs(report['delta'][name]) for name in ('dx', 'dy', 'dz')) <= 0.05
    assert 'traces' not in report
    assert 'saved' not in report


def test_the_assumed_state_is_said_and_is_the_same_as_given(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, assumed = try_model(capsys, BOWL, 'pick up the red cube')
    _, given = try_model(capsys, BOWL, 'pick up the red cube', *STATE)

    assert assumed.pop('assumed_state')['Z'] == 0.2
    assert given == assumed


def test_people_get_a_table(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(['try', str(BOWL), 'pick up the red cube', '--trace']) == 0

    out = capsys.readouterr().out
    assert 'magma_nano_sim' in out
    assert 'dyaw' in out
    assert 'the arm was assumed to be at --state 0.25 0 0.2 0 0 0 1' in out
    assert 'saved cubes_and_bowl_tried.jpg' in out
    assert (tmp_path / 'cubes_and_bowl_tried.jpg').is_file()


def test_a_model_without_words_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(['try', str(BOWL), 'What is the robot doing?', '--ask', '--json'])

    assert code == 2
    out, err = capsys.readouterr()
    assert out == ''
    assert 'magma-nano has no words' in err


def test_questions_get_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PromptedModel, 'has_words', True)
    monkeypatch.setattr(PromptedModel, 'answer', lambda self, rgb, question: f'{question} Yes.')

    code, report = try_model(capsys, BOWL, 'Is it red?', '--ask')

    assert code == 0
    assert report['text'] == 'Is it red? Yes.'
    assert 'ids' not in report


def test_no_marks_is_not_well(capsys: pytest.CaptureFixture[str]) -> None:
    code, report = try_model(capsys, BOWL, 'pick up the red cube', '--marks')

    assert (code, report['marks_px']) == (1, {})  # magma-nano never learned them


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['none.png', 'go'], 'does not exist'),
        ([BOWL, ''], 'instruction is empty'),
        ([BOWL, 'a' * 1_000_000], '1000000 characters'),
        ([BOWL, 'go', '--model', 'nowhere'], 'nowhere is not a folder'),
        ([BOWL, 'go', '--statistics', 'franka'], "was trained with .*'magma_nano_sim'"),
        ([BOWL, 'go', '--state', 'nan', *STATE[2:]], 'seven numbers'),
        ([BOWL, 'go', '--save', 'out.gif'], 'must end in'),
    ],
    ids=str,
)
def test_what_can_be_put_right_is_said(
    words: list, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['try', *map(str, words)]) == 2
    error = capsys.readouterr().err
    assert error.startswith('magma try: ')
    assert re.search(message, error)


@pytest.mark.parametrize('path', [BOWL, CANS])
def test_sample_pictures_are_small(path: Path) -> None:
    assert path.stat().st_size < 60_000
    assert read_picture(path).shape == (480, 640, 3)
