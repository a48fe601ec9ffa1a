from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')

from magma_ros.evaluation.demo_report import DemoReport, as_plain_data  # noqa: E402
from magma_ros.evaluation.node_session import EpisodeRecord  # noqa: E402
from magma_ros.evaluation.summary_page import make_thumbnail, summary_page  # noqa: E402

HOSTILE = '<script>alert("x")</script> & more'


def record(task: str, success: bool, instruction: str = 'go', late_ms: float = 1.0):
    return EpisodeRecord(
        task, 7, instruction, success, 4.25, (0.03, 0.05), (0.08, 0.09), (), (), 0.1, late_ms, 3.0
    )


def report(*records: EpisodeRecord, mode: str = 'direct') -> DemoReport:
    machine = {'processor': 'Some CPU', 'cores': 2}
    return DemoReport(
        records, mode, 'magma-nano', 'ab12', machine, 'magma demo', '2026-01-02 03:04 UTC', 9.5
    )


class Tags(HTMLParser):
    """Counts tags and fails when they do not close in order."""

    VOID = ('meta', 'img')

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.counts: dict[str, int] = {}
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.links += [value for name, value in attributes if name in ('src', 'href')]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_success_is_counted_by_task_and_together() -> None:
    found = report(record('reach', True), record('put', False), record('put', True)).success()
    assert [(one.task, one.successes, one.episodes) for one in found] == [
        ('reach', 1, 1),
        ('put', 1, 2),
        ('all', 2, 3),
    ]
    # Clopper-Pearson of 1 of 2.
    assert found[1].interval_95 == pytest.approx((0.01258, 0.98742), abs=1e-5)


def test_one_kind_of_task_has_no_total() -> None:
    assert [one.task for one in report(record('put', True)).success()] == ['put']


def test_stages_add_up() -> None:
    before, model, whole = report(record('put', True)).stages()
    assert (before.p50_ms, model.p50_ms, whole.p50_ms) == (45.0, 40.0, 85.0)
    assert whole.count == 2


def test_in_path_mode_only_the_first_picture_asks_the_model() -> None:
    _, drawn, step, whole = report(record('put', True), record('put', True), mode='path').stages()
    assert (drawn.p50_ms, drawn.count) == (30.0, 2)
    assert (step.p50_ms, step.count) == (50.0, 2)
    assert whole.count == 4


def test_lateness_is_the_worst_of_the_episodes() -> None:
    late = report(record('put', True, late_ms=1.0), record('put', True, late_ms=2.5))
    assert late.control_lateness().p99_ms == 2.5


def test_a_run_without_pictures_has_no_times() -> None:
    empty = EpisodeRecord('put', 7, 'go', False, 1.0, (), (), (), (), 0.0, 0.0, 0.0)
    assert [stage.count for stage in report(empty).stages()] == [0, 0, 0]


def test_plain_data_has_the_intervals() -> None:
    data = as_plain_data(report(record('put', True)))
    assert data['success'][0]['interval_95'] == [0.025, 1.0]
    assert data['episodes'][0]['instruction'] == 'go'


def test_page_is_well_formed_and_needs_nothing_from_elsewhere() -> None:
    jpeg = make_thumbnail(np.zeros((480, 640, 3), np.uint8))
    page = summary_page(
        report(record('put', True), record('put', False)), [jpeg, None], 'demo.webm', {'a': 'b'}
    )
    tags = Tags(page)
    assert tags.open == []
    assert tags.counts['img'] == 1
    assert tags.counts['video'] == 1
    data, *links = sorted(tags.links, key=len, reverse=True)
    assert base64.b64decode(data.split(',')[1]) == jpeg
    assert sorted(links) == ['a', 'demo.webm']
    assert not re.search(r'https?:|@import|url\(', page)


def test_page_shows_what_was_found() -> None:
    page = summary_page(
        report(record('put', True, 'put it down'), record('put', False)), [None, None], None, {}
    )
    for text in (
        'put it down',
        '1 of 2',
        '85 ms',
        'magma-nano, sha256 ab12',
        'Some CPU',
        'magma demo',
        '0.01 to 0.99',
        'not done',
    ):
        assert text in page
    assert '<video' not in page


def test_nothing_said_becomes_markup() -> None:
    page = summary_page(report(record('put', True, HOSTILE)), [b'jpeg'], None, {HOSTILE: HOSTILE})
    assert 'script' not in Tags(page).counts
    assert page.count('&lt;script&gt;') == 5


def test_thumbnail_is_small_and_in_the_right_colours() -> None:
    red = np.zeros((480, 640, 3), np.uint8)
    red[..., 0] = 220
    small = cv2.imdecode(np.frombuffer(make_thumbnail(red), np.uint8), cv2.IMREAD_COLOR)
    assert small.shape == (180, 240, 3)
    assert small[90, 120].tolist() == pytest.approx([0, 0, 220], abs=6)
