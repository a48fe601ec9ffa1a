"""The page of a comparison session: tables and drawings put into its template."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from magma_ros.evaluation.report import motion_plots, success_plots
from magma_ros.evaluation.report.analysis import Analysis
from magma_ros.evaluation.report.headline import points
from magma_ros.evaluation.report.motion_plots import small_trace
from magma_ros.evaluation.report.plot_style import CONDITION_COLOURS, as_svg, styled
from magma_ros.evaluation.sessions.trial_record import TrialRecord
from magma_ros.evaluation.summary_style import STYLE
from magma_ros.resources import asset_path

TEMPLATES = 'session_report'
DARK_COLOURS = (
    '#86aefc',
    '#f5a25d',
    '#4cc38a',
    '#d694f0',
    '#f0837b',
    '#5cc8d0',
    '#d9bd6a',
    '#aab3bf',
)


@dataclass(frozen=True)
class TrialRow:
    """A trial as the page shows it."""

    record: TrialRecord
    condition: str
    colour: int
    picture: str  # data URL, '' if there is none
    trace: list[tuple[str, bool]]
    complaints: tuple[str, ...]


def render_page(analysis: Analysis, versions: Mapping[str, str]) -> str:
    """The whole page as HTML; needs nothing but itself."""
    environment = Environment(
        loader=FileSystemLoader(asset_path(TEMPLATES)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        'moment': _moment,
        'number': _number,
        'points': points,
        'p': _short_p,
        'evidence': _evidence,
    }
    return environment.get_template('page.html').render(
        a=analysis,
        session=analysis.session,
        style=Markup(STYLE + _palette()),
        plots=_draw(analysis),
        rows=[_row(analysis, record) for record in analysis.session.counted],
        not_counted=[_row(analysis, record) for record in analysis.session.not_counted],
        colours={name: at for at, name in enumerate(analysis.session.names)},
        versions=versions,
    )


def draw_all(analysis: Analysis) -> dict[str, tuple[Figure, str]]:
    """Name -> drawing and its meaning in words; only what there is something to draw of."""
    session = analysis.session
    figures = [*analysis.overall, *analysis.by_task]
    shown = figures if len(session.tasks) > 1 else analysis.by_task
    with styled():
        drawings = {
            'success': (
                success_plots.draw_success(shown, session.names),
                'Success rates with 95 % intervals by task and condition',
            ),
            'layouts': (
                success_plots.draw_layouts(session),
                'Which condition succeeded on which initial condition',
            ),
            'completion': (
                motion_plots.draw_completion(session, analysis.by_task),
                'Share of trials done over time',
            ),
            'motion': (
                motion_plots.draw_motions(session, analysis.files),
                'Duration, path length and smoothness of the successful trials',
            ),
            'traces': (
                motion_plots.draw_traces(session, analysis.files),
                'Ways of the end effector from above and from the side',
            ),
        }
        if analysis.comparisons:
            drawings |= {
                'posteriors': (
                    success_plots.draw_posteriors(analysis.overall, analysis.comparisons),
                    'Posterior densities of success rates and of their differences',
                ),
                'evidence': (
                    success_plots.draw_evidence(analysis.comparisons),
                    'Evidence against equality over the trials',
                ),
            }
    return {name: (one, text) for name, (one, text) in drawings.items() if one is not None}


def _draw(analysis: Analysis) -> dict[str, Markup]:
    return {name: Markup(as_svg(*one)) for name, one in draw_all(analysis).items()}


def _row(analysis: Analysis, record: TrialRecord) -> TrialRow:
    session, files = analysis.session, analysis.files
    place = (record.task, record.layout, record.block)
    partners = [
        one
        for one in session.counted
        if one is not record and (one.task, one.layout, one.block) == place
    ]
    jpeg = files[record].thumbnail_jpeg
    name = session.name_of(record)
    return TrialRow(
        record,
        name,
        session.names.index(name),
        f'data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}' if jpeg else '',
        small_trace(files, record, partners),
        files[record].complaints,
    )


def _palette() -> str:
    light, dark = (
        ' '.join(f'--c{at}: {colour};' for at, colour in enumerate(colours))
        for colours in (CONDITION_COLOURS, DARK_COLOURS)
    )
    return (
        f':root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n'
        + (asset_path(TEMPLATES) / 'page.css').read_text(encoding='utf-8')
    )


def _number(value: float, digits: int = 2) -> str:
    return f'{value:.{digits}f}'.replace('-', '\u2212') if math.isfinite(value) else '\u2013'


def _moment(utc: str) -> str:
    """ISO 8601 as people write it, to the minute."""
    return f'{utc[:10]} {utc[11:16]} UTC'


def _short_p(p: float) -> str:
    return '< 0.001' if p < 0.001 else f'{p:.3f}'


def _evidence(log_evidence: float) -> str:
    value = math.exp(min(log_evidence, 100.0))
    return f'{value:.2g}' if value < 10 else f'{value:.0f}' if value < 10_000 else f'{value:.0e}'
