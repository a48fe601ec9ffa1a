from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from magma_ros.errors import CameraError, ConfigurationError, RecordingError
from magma_ros.image.picture_file import write_picture
from magma_ros.tools import label_traces

DATASET_TESTS = Path(__file__).parents[1] / 'dataset'
sys.path[:0] = [str(DATASET_TESTS), str(DATASET_TESTS / 'traces')]
from moving_patch import film  # noqa: E402
from robot_bag import CAMERA, picture, robot_arrivals, write_robot_bag  # noqa: E402


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / 'pictures'
    folder.mkdir()
    for index, frame in enumerate(film(12)):
        write_picture(frame, folder / f'view_{index}.png')
    return folder


def label(*words: object) -> int:
    parser = argparse.ArgumentParser()
    label_traces.add_arguments(parser)
    return label_traces.run(parser.parse_args([str(word) for word in words]))


def test_a_folder_becomes_a_video(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = tmp_path / 'traces.webm'
    assert label(pictures, '--out', video, '--task', 'push the patch') == 0
    shown = capsys.readouterr().out
    assert '12 frames, ' in shown
    assert 'The robot is doing: push the patch. To finish the task' in shown
    capture = cv2.VideoCapture(str(video))
    assert capture.get(cv2.CAP_PROP_FRAME_WIDTH) == 1280
    count = 0
    while capture.read()[0]:
        count += 1
    assert count == 12
    # And a video is a source, too, thinned to the rate that is asked for.
    assert len(list(label_traces.read_frames(video, 5.0))) == 12
    assert len(list(label_traces.read_frames(video, 2.5))) == 6


def test_where_nothing_moves(tmp_path: Path) -> None:
    for index in range(3):
        write_picture(film(1)[0], tmp_path / f'{index}.png')
    assert label(tmp_path, '--out', tmp_path / 'traces.webm') == 1


def test_pictures_of_a_bag(tmp_path: Path) -> None:
    bag = write_robot_bag(tmp_path / 'bag', robot_arrivals(1.0))
    for topic in ('', CAMERA):
        frames = list(label_traces.read_frames(bag, 10.0, topic))
        assert len(frames) == 10
        assert np.array_equal(frames[1], picture(3))
    with pytest.raises(RecordingError, match='no pictures on /other'):
        list(label_traces.read_frames(bag, 10.0, '/other'))


@pytest.mark.parametrize(
    ('words', 'error'),
    [
        (('nowhere',), RecordingError),
        (('.', '--out', 'traces.mp4'), ConfigurationError),
        (('.', '--rate', '0'), ConfigurationError),
        (('film.mp4',), CameraError),
    ],
)
def test_what_cannot_be(
    words: tuple, error: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error):
        label(*words)
