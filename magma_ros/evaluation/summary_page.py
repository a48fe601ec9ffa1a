"""The page a demo run leaves behind: one HTML file that needs nothing but the video next to it."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import cv2
import numpy as np

from magma_ros.evaluation.demo_report import DemoReport
from magma_ros.evaluation.summary_style import PAGE, STYLE

THUMBNAIL_WIDTH_PX = 240
THUMBNAIL_QUALITY = 80


def summary_page(
    report: DemoReport,
    thumbnails_jpeg: Sequence[bytes | None],
    video_name: str | None,
    files: Mapping[str, str],
) -> str:
    """The whole page as HTML.

    Args:
        report: of the run.
        thumbnails_jpeg: a picture for each episode, or None.
        video_name: file next to the page; None when nothing was filmed.
        files: what else the run wrote: name -> what it is.
    """
    start, count = escape(report.date), len(report.episodes)
    subtitle = (
        f'{count} {"episode" if count == 1 else "episodes"} of magma_ros through its ROS 2 nodes '
        f'in simulation, {escape(report.mode)} mode, {start}'
    )
    return PAGE.substitute(
        date=start,
        style=STYLE,
        subtitle=subtitle,
        figures=_figures(report),
        video=_video(video_name),
        episodes=_episodes(report, thumbnails_jpeg),
        success=_success(report),
        stages=_stages(report),
        machine=_machine(report),
        files=_files(files),
    )


def make_thumbnail(rgb: np.ndarray) -> bytes:
    """A small JPEG of a picture (height, width, 3)."""
    height, width = rgb.shape[:2]
    size = (THUMBNAIL_WIDTH_PX, round(height * THUMBNAIL_WIDTH_PX / width))
    small = cv2.resize(rgb[..., ::-1], size, interpolation=cv2.INTER_AREA)
    quality = [cv2.IMWRITE_JPEG_QUALITY, THUMBNAIL_QUALITY]
    return cv2.imencode('.jpg', small, quality)[1].tobytes()


def _figures(report: DemoReport) -> str:
    whole, late = report.stages()[-1], report.control_lateness()
    successes = sum(record.success for record in report.episodes)
    set_up = 'none' if report.set_up_s is None else f'{report.set_up_s:.0f} s'
    figures = (
        (f'{successes} of {len(report.episodes)}', 'episodes done'),
        (f'{whole.p50_ms:.0f} ms', 'picture to action, median'),
        (f'{late.p99_ms:.2f} ms', 'control lateness, p99'),
        (set_up, 'command to first motion'),
    )
    return ''.join(
        f'<div><strong>{value}</strong><span>{what}</span></div>' for value, what in figures
    )


def _video(name: str | None) -> str:
    if name is None:
        return ''
    return (
        '<section class="film"><video controls autoplay muted loop playsinline '
        f'src="{escape(name)}"></video></section>'
        '<p class="note">The coloured line is what the model wants (blue first, red last); a blue '
        'ring closes the gripper, a red one opens it. The white line is where the gripper went.'
        '</p>'
    )


def _episodes(report: DemoReport, thumbnails_jpeg: Sequence[bytes | None]) -> str:
    rows = []
    for record, jpeg in zip(report.episodes, thumbnails_jpeg, strict=True):
        reasons = ', '.join(record.reasons) or 'none'
        rows.append(
            (
                _image(jpeg, record.instruction),
                escape(record.instruction),
                escape(record.task),
                str(record.seed),
                _verdict(record.success),
                f'{record.duration_s:.1f}',
                escape(reasons),
            )
        )
    heads = ('', 'instruction', 'task', 'seed#', 'result', 'time / s#', 'holds and stops')
    return _table(heads, rows)


def _success(report: DemoReport) -> str:
    rows = []
    for one in report.success():
        low, high = one.interval_95
        bar = (
            f'<div class="bar"><i style="left:{100 * low:.1f}%;width:{100 * (high - low):.1f}%">'
            f'</i><b style="left:{100 * one.successes / one.episodes:.1f}%"></b></div>'
        )
        count = f'{one.successes}/{one.episodes}'
        rows.append((escape(one.task), count, f'{low:.2f} to {high:.2f}', bar))
    note = '<p class="note">Exact 95 % interval: what so few episodes can say.</p>'
    return _table(('task', 'done#', 'interval#', ''), rows) + note


def _stages(report: DemoReport) -> str:
    rows = [
        (escape(one.stage), f'{one.p50_ms:.1f}', f'{one.p95_ms:.1f}', str(one.count))
        for one in report.stages()
    ]
    late = report.control_lateness()
    note = (
        f'<p class="note">Control loop, 50 Hz: ticks begin {late.p50_ms:.2f} ms late (p50), '
        f'{late.p99_ms:.2f} ms (p99), {late.max_ms:.2f} ms (max).</p>'
    )
    return _table(('stage', 'p50 / ms#', 'p95 / ms#', 'pictures#'), rows) + note


def _machine(report: DemoReport) -> str:
    facts: dict[str, Any] = {
        'model': f'{report.model_name}, sha256 {report.model_sha256}',
        **report.machine,
        'command': report.command_line,
    }
    return (
        '<dl>'
        + ''.join(
            f'<dt>{escape(name.replace("_", " "))}</dt><dd><code>{escape(str(value))}</code></dd>'
            for name, value in facts.items()
        )
        + '</dl>'
    )


def _files(files: Mapping[str, str]) -> str:
    links = (
        f'<a href="{escape(name)}">{escape(name)}</a> ({escape(what)})'
        for name, what in files.items()
    )
    return f'Next to this page: {", ".join(links)}.' if files else ''


def _image(jpeg: bytes | None, meaning: str) -> str:
    if jpeg is None:
        return ''
    data = base64.b64encode(jpeg).decode()
    return f'<img alt="{escape(meaning)}" src="data:image/jpeg;base64,{data}">'


def _verdict(success: bool) -> str:
    return '<span class="good">done</span>' if success else '<span class="bad">not done</span>'


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML already; a head that ends in # aligns its column as numbers."""
    kinds = [' class="number"' if head.endswith('#') else '' for head in heads]
    head_cells = (
        f'<th{kind}>{head.removesuffix("#")}</th>' for head, kind in zip(heads, kinds, strict=True)
    )
    body = (
        '<tr>'
        + ''.join(f'<td{kind}>{cell}</td>' for cell, kind in zip(row, kinds, strict=True))
        + '</tr>'
        for row in rows
    )
    return f'<table><tr>{"".join(head_cells)}</tr>{"".join(body)}</table>'
