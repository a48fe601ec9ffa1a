"""The report as data: ``report.json`` and ``trials.csv``."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from magma_ros.evaluation.report.analysis import Analysis
from magma_ros.evaluation.report.comparison import Comparison
from magma_ros.evaluation.report.condition_figures import ConditionFigures
from magma_ros.evaluation.sessions.trial_record import TrialRecord

FORMAT = 1
MOTION_COLUMNS = ('path_length_m', 'log_jerk', 'spectral_arc_length')


def as_plain_data(analysis: Analysis, versions: Mapping[str, str]) -> dict[str, Any]:
    """Everything on the page but pictures and traces; unknown numbers are null."""
    session = analysis.session
    return _without_nan(
        {
            'format': FORMAT,
            'title': session.title,
            'versions': dict(versions),
            'facts': dict(session.facts),
            'conditions': dict(session.conditions),
            'missing': session.missing,
            'is_fixed': session.is_fixed,
            'primary': session.primary,
            'alpha': session.alpha,
            'headlines': [asdict(one) for one in analysis.headlines],
            'limits': analysis.limits,
            'figures': [_figures(one) for one in (*analysis.overall, *analysis.by_task)],
            'comparisons': [_comparison(one) for one in analysis.comparisons],
            'not_counted': [
                {**asdict(record), 'condition': session.name_of(record)}
                for record in session.not_counted
            ],
            'complaints': [
                {'trial': record.trial, 'started_utc': record.started_utc, 'what': what}
                for record in session.trials
                for what in analysis.files[record].complaints
            ],
        }
    )


def as_csv(analysis: Analysis) -> str:
    """A line for every trial, those that do not count too, in the order in which they ran."""
    names = [one.name for one in fields(TrialRecord)]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(('condition', *names, *MOTION_COLUMNS, 'complaints'))
    for record in analysis.session.trials:
        files = analysis.files[record]
        figures = files.motion.figures if files.motion else None
        values = [getattr(record, name) for name in names]
        writer.writerow(
            (
                analysis.session.name_of(record),
                *(_cell(value) for value in values),
                *(_cell(getattr(figures, name)) if figures else '' for name in MOTION_COLUMNS),
                ' | '.join(files.complaints),
            )
        )
    return text.getvalue()


def _figures(one: ConditionFigures) -> dict[str, Any]:
    values = {
        name: getattr(one, name)
        for name in (field.name for field in fields(one))
        if name != 'curve'
    }
    times: dict[str, float | None] = {
        'median_s': None,
        'restricted_mean_s': None,
        'horizon_s': None,
    }
    if one.curve is not None:
        times = {
            'median_s': one.curve.median_s(),
            'restricted_mean_s': one.curve.restricted_mean_s(),
            'horizon_s': one.curve.horizon_s,
        }
    return {**values, 'safety_events': dict(one.safety_events), 'rate': one.rate, **times}


def _comparison(one: Comparison) -> dict[str, Any]:
    return {
        'first': one.first,
        'second': one.second,
        'is_decided': one.is_decided,
        'overall': asdict(one.overall),
        'by_task': [asdict(part) for part in one.by_task],
        'single': one.single,
        'fixed_test': {'name': one.fixed_test, 'p': one.fixed_p, 'mid_p': one.mid_p},
        'sequential_test': {
            'log_evidence': [float(value) for value in one.log_evidence],
            'anytime_p': one.anytime_p,
            'decided_after': one.decided_after,
            'further': one.further,
        },
        'adjusted_p': one.adjusted_p,
        'posterior': {
            'first_better': one.posterior.first_better,
            'credible_95': one.posterior.credible_interval(),
        },
    }


def _cell(value: Any) -> Any:
    if isinstance(value, tuple):
        return ' '.join(value)
    if isinstance(value, float) and not math.isfinite(value):
        return ''
    # A spreadsheet must not take what an operator typed for a formula.
    return f"'{value}" if isinstance(value, str) and value[:1] in '=+-@\t\r' and value else value


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
