from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from magma_ros.errors import EnvironmentMissing
from magma_ros.evaluation.video import VideoWriter, evenly_spaced

GREEN = np.full((48, 64, 3), (10, 200, 30), dtype=np.uint8)


def test_frames_come_back_in_their_colours(tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    path = tmp_path / 'demo.webm'
    with VideoWriter(path, (64, 48)) as video:
        for _ in range(5):
            video.add(GREEN)
        assert video.frame_count == 5
    assert path.read_bytes()[:4] == b'\x1aE\xdf\xa3'  # EBML, and so WebM
    capture = cv2.VideoCapture(str(path))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(10.0)
    frames = [bgr for is_read, bgr in (capture.read() for _ in range(6)) if is_read]
    assert len(frames) == 5
    assert frames[4].mean(axis=(0, 1)) == pytest.approx([30, 200, 10], abs=6)
    assert capfd.readouterr().err == ''


def test_frames_of_another_size_are_refused(tmp_path: Path) -> None:
    with (
        VideoWriter(tmp_path / 'demo.webm', (64, 48)) as video,
        pytest.raises(ValueError, match=r'\(32, 48\).*\(64, 48\)'),
    ):
        video.add(GREEN[:, :32])


def test_a_video_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentMissing, match='opencv-python-headless'):
        VideoWriter(tmp_path / 'absent' / 'demo.webm')


def test_the_newest_frame_is_shown_at_every_tick() -> None:
    assert list(evenly_spaced([1.0, 1.2, 1.25, 1.6], rate_hz=10.0)) == [0, 0, 1, 2, 2, 2, 3]


def test_the_last_frame_stays() -> None:
    assert list(evenly_spaced([5.0], rate_hz=10.0, last_s=0.3)) == [0, 0, 0, 0]


def test_no_frames_give_no_video() -> None:
    assert list(evenly_spaced([])) == []
