"""Writes what a demo leaves behind: video, summary page, and the numbers as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from magma_ros.evaluation.demo_episodes import BAG, FilmedEpisode
from magma_ros.evaluation.demo_report import DemoReport, as_plain_data
from magma_ros.evaluation.summary_page import make_thumbnail, summary_page
from magma_ros.evaluation.video import RATE_HZ, VideoWriter, evenly_spaced
from magma_ros.image.trace_overlay import draw_caption

VIDEO = 'demo.webm'
PAGE = 'summary.html'
NUMBERS = 'report.json'
LAST_FRAME_S = 1.5  # the result stays to be read


def write_files(directory: Path, report: DemoReport, films: Sequence[FilmedEpisode]) -> Path:
    """Everything into the folder; the path of the page.

    Raises:
        EnvironmentMissing: the video cannot be encoded.
    """
    has_video = any(film.frames for film in films)
    if has_video:
        write_video(directory / VIDEO, films)
    thumbnails = [
        make_thumbnail(_decode(film.frames[-1].jpeg)) if film.frames else None for film in films
    ]
    files = {NUMBERS: 'these numbers', f'{BAG}/': 'rosbag2 of the first episode'}
    page = directory / PAGE
    html = summary_page(report, thumbnails, VIDEO if has_video else None, files)
    page.write_text(html, encoding='utf-8')
    numbers = json.dumps(as_plain_data(report), indent=1)
    (directory / NUMBERS).write_text(f'{numbers}\n', encoding='utf-8')
    return page


def write_video(path: Path, films: Sequence[FilmedEpisode]) -> None:
    """All episodes one after the other, in real time, with what was said and how it went."""
    first = next(film.frames[0] for film in films if film.frames)
    height, width = _decode(first.jpeg).shape[:2]
    with VideoWriter(path, (width, height)) as video:
        for film in films:
            _add_episode(video, film)


def _add_episode(video: VideoWriter, film: FilmedEpisode) -> None:
    record, times_s = film.record, [frame.time_s for frame in film.frames]
    about = f'{record.task}, seed {record.seed}'
    result = f'done in {record.duration_s:.1f} s' if record.success else 'not done'
    shown, picture = -1, np.empty(0, np.uint8)
    for tick, index in enumerate(evenly_spaced(times_s, last_s=LAST_FRAME_S)):
        if index != shown:
            shown, picture = index, _decode(film.frames[index].jpeg)
        is_over = index == len(times_s) - 1
        canvas = picture.copy()
        status = result if is_over else f'{tick / RATE_HZ:.1f} s'
        draw_caption(canvas, record.instruction, f'{about}, {status}')
        video.add(canvas)


def _decode(jpeg: bytes) -> NDArray[np.uint8]:
    bgr = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert bgr is not None  # perception encoded it
    return np.ascontiguousarray(bgr[..., ::-1], dtype=np.uint8)
