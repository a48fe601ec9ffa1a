from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from session_records import (
    DIRECT,
    PATH,
    PERSON,
    paired_session,
    save_bag,
    save_motion,
    save_picture,
    with_trials,
)

from magma_ros.errors import EnvironmentMissing
from magma_ros.evaluation.report import session_report
from magma_ros.evaluation.report.plot_style import as_svg, styled
from magma_ros.evaluation.report.session_report import WrittenReport, write_report
from magma_ros.evaluation.report.success_plots import draw_layouts

HOSTILE = '<script>alert(1)</script>'
ROWS = [(True, False, True)] * 3 + [(True, True, False), (False, False, False)]


@pytest.fixture(scope='module')
def report(tmp_path_factory: pytest.TempPathFactory) -> WrittenReport:
    """Of a session with everything that can happen to its trials."""
    folder = tmp_path_factory.mktemp('session')
    session = paired_session(
        folder, ('pick', ROWS), ('push', ROWS[:4]), missing=3, facts={'seed': '$5$ & more'}
    )
    trials = list(session.trials)
    for record in trials[:12]:
        save_motion(folder / f'{record.trial}.npz', 0.2 + 0.01 * record.trial)
    save_picture(folder / 'end.jpg')
    file = save_bag(folder / 'bags' / 'torn')
    file.write_bytes(file.read_bytes()[:900])
    trials = [
        replace(
            record,
            motion=f'{record.trial}.npz' if record.trial < 13 else '',
            thumbnail='end.jpg',
            latency_p50_ms=20.0 + record.trial,
            latency_p95_ms=40.0 + record.trial,
        )
        for record in trials
    ]
    trials[1] = replace(trials[1], note=HOSTILE, interventions=2, safety_events=('STALE', 'BOX'))
    trials[2] = replace(trials[2], bag='bags/torn', note='=1+1')
    torn = replace(trials[4], invalid='interrupted by the operator', success=False)
    return write_report(with_trials(session, [*trials[:4], torn, *trials[4:]]))


class Links(HTMLParser):
    """Whatever a page would load or link to."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loaded += [
            value or ''
            for name, value in attributes
            if name in ('src', 'href', 'xlink:href', 'srcset')
        ]


def test_the_page_stands_alone(report: WrittenReport) -> None:
    page = report.page.read_text(encoding='utf-8')
    links = Links()
    links.feed(page)

    assert 'script' not in links.tags
    allowed = ('#', 'data:image/jpeg;base64,', 'report.json', 'trials.csv', 'bags/torn')
    assert [one for one in links.loaded if not one.startswith(allowed)] == []
    assert not re.search(r'url\((?!#)', page), 'styles load nothing'
    assert page.count('<svg role="img" aria-label=') == 7


def test_colours_of_the_plots_follow_the_page(report: WrittenReport) -> None:
    plots = re.findall(r'<svg role="img".*?</svg>', report.page.read_text(), re.DOTALL)

    colours = {colour for plot in plots for colour in re.findall(r'#[0-9a-f]{6}\b', plot)}
    assert colours <= {'#000000', '#ffffff'}
    assert 'var(--c0)' in plots[0]


def test_what_people_wrote_is_text(report: WrittenReport) -> None:
    page = report.page.read_text(encoding='utf-8')

    assert HOSTILE not in page
    assert '&lt;script&gt;' in page
    assert '$5$ &amp; more' in page


def test_no_trial_is_dropped(report: WrittenReport) -> None:
    rows = list(csv.DictReader((report.page.parent / 'trials.csv').open(encoding='utf-8')))
    page = report.page.read_text(encoding='utf-8')

    assert [int(row['trial']) for row in rows] == [0, 1, 2, 3, 4, *range(4, 27)]
    assert rows[4]['invalid'] == 'interrupted by the operator'
    assert [row['condition'] for row in rows[:3]] == [PATH, DIRECT, PERSON]
    assert rows[2]['note'] == "'=1+1", 'no formula for a spreadsheet'
    assert page.count('alt="end of trial ') == 28
    assert 'interrupted by the operator' in page


def test_limits_and_damage_are_named(report: WrittenReport) -> None:
    data = json.loads((report.page.parent / 'report.json').read_text(encoding='utf-8'))

    assert data['limits'] == [
        'Planned and never run: 3 trials.',
        'Not counted, with reasons below: 1 trial.',
        'With missing or damaged files, named below: 2 trials.',
    ]
    complaints = {one['trial']: one['what'] for one in data['complaints']}
    assert set(complaints) == {2, 12}
    assert 'cut off' in complaints[2]
    assert complaints[12] == 'motion: 12.npz is not there'
    assert '12.npz is not there' in report.page.read_text(encoding='utf-8')


def test_figures_of_a_condition(report: WrittenReport) -> None:
    data = json.loads((report.page.parent / 'report.json').read_text(encoding='utf-8'))
    figures = {(one['name'], one['task']): one for one in data['figures']}

    path = figures[PATH, '']
    assert (path['successes'], path['trials']) == (8, 9)
    assert path['wilson'] == pytest.approx([0.5650, 0.9801], abs=5e-4)
    assert path['exact'] == pytest.approx([0.5175, 0.9972], abs=5e-4)
    assert path['motions'] == 4
    direct = figures[DIRECT, 'pick']
    assert (direct['interventions'], direct['safety_events']) == (2, {'BOX': 1, 'STALE': 1})
    assert direct['median_s'] is None, 'one of five was done'
    assert direct['restricted_mean_s'] == pytest.approx((8 + 4 * 20) / 5)
    assert (direct['latency_p50_ms'], direct['latency_p95_ms']) == (27.0, 53.0)
    assert len(data['comparisons']) == len(data['headlines']) == 3
    assert data['comparisons'][0]['overall']['pairs'] == {
        'both': 2,
        'first_only': 6,
        'second_only': 0,
        'neither': 1,
    }


def test_the_same_session_is_the_same_drawing(report: WrittenReport) -> None:
    session = report.analysis.session

    def draw() -> str:
        with styled():
            return as_svg(draw_layouts(session), 'meaning')

    first = draw()
    assert first == draw()
    assert first in report.page.read_text(encoding='utf-8').replace(
        'Which condition succeeded on which initial condition', 'meaning'
    )


def test_a_bare_session_of_one_trial_has_a_report(tmp_path: Path) -> None:
    session = paired_session(tmp_path, ('pick', [(True,)]))

    page = write_report(session).page.read_text(encoding='utf-8')

    assert 'No motion was recorded' in page
    assert 'Differences' not in page


def test_a_missing_package_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_report, 'find_spec', lambda name: None)

    with pytest.raises(EnvironmentMissing, match=r'jinja2 and matplotlib: pip install'):
        session_report.require_packages()
