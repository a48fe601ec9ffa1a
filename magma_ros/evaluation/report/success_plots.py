"""Plots of success: rates with intervals, outcomes by layout, posteriors, evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from scipy.stats import beta

from magma_ros.evaluation.report.comparison import Comparison
from magma_ros.evaluation.report.condition_figures import ConditionFigures
from magma_ros.evaluation.report.plot_style import (
    INK,
    LINE,
    PERCENT,
    SOFT,
    colour_of,
    new_figure,
    without_grid,
)
from magma_ros.evaluation.report.reported_session import ReportedSession
from magma_ros.evaluation.statistics.posterior import JEFFREYS

Floats = NDArray[np.float64]

ROW_IN = 0.3
RATES = np.linspace(0.0005, 0.9995, 400)
DIFFERENCE_STEPS = 120  # each is an integral


def draw_success(figures: Sequence[ConditionFigures], names: Sequence[str]) -> Figure:
    """A row for each task and condition: rate and Wilson interval."""
    tasks = list(dict.fromkeys(one.task for one in figures))
    rows = sum(len(names) + 0.9 for _ in tasks)
    figure = new_figure(0.45 + ROW_IN * rows)
    axes = figure.subplots()
    row, labels = 0.0, []
    for task in tasks:
        labels.append((row, task or 'all tasks', INK))
        row += 0.9
        for at, name in enumerate(names):
            one = next(f for f in figures if (f.name, f.task) == (name, task))
            if one.trials:
                axes.hlines(row, *one.wilson, color=colour_of(at), linewidth=6, alpha=0.3)
                axes.plot(one.rate, row, 'o', color=colour_of(at), markersize=6.5, clip_on=False)
            labels.append((row, name, SOFT))
            axes.text(1.015, row, f'{one.successes}/{one.trials}', va='center', color=INK)
            row += 1.0
    axes.set_yticks([at for at, _, _ in labels], [text for _, text, _ in labels])
    for tick, (_, _, colour) in zip(axes.get_yticklabels(), labels, strict=True):
        tick.set_color(colour)
        tick.set_fontweight('bold' if colour == INK else 'normal')
    axes.set(xlim=(0.0, 1.0), ylim=(row - 0.4, -0.6))
    axes.xaxis.set_major_formatter(PERCENT)
    without_grid(axes, 'y')
    axes.spines['left'].set_visible(False)
    return figure


def draw_layouts(session: ReportedSession) -> Figure:
    """A field for each initial condition: which condition succeeded on it, how often."""
    cells = {task: _layouts(session, task) for task in session.tasks}
    widest = max(map(len, cells.values()))
    rows = len(session.names)
    height = sum(0.55 + 0.26 * rows for _ in cells)
    figure = new_figure(height)
    for axes, (task, layouts) in zip(
        np.ravel(figure.subplots(len(cells), 1)), cells.items(), strict=True
    ):
        for at, name in enumerate(session.names):
            trials = session.counted_of(name, task)
            for column, layout in enumerate(layouts):
                seen = [record.success for record in trials if record.layout == layout]
                if not seen:
                    continue
                place = (column - 0.42, at - 0.38)
                axes.add_patch(_field(place, LINE, 1.0))
                share = float(np.mean(seen))
                if share:
                    axes.add_patch(_field(place, colour_of(at), share))
        axes.set_yticks(range(rows), session.names)
        axes.set_xticks([])
        axes.set_title(f'{task}: {len(layouts)} initial conditions')
        axes.set(xlim=(-0.6, max(widest, 12) - 0.4), ylim=(rows - 0.4, -0.6))
        axes.grid(visible=False)
        for spine in axes.spines.values():
            spine.set_visible(False)
    return figure


def draw_posteriors(
    figures: Sequence[ConditionFigures], comparisons: Sequence[Comparison]
) -> Figure:
    """Left what is plausible for each rate, right for the differences."""
    figure = new_figure(2.9)
    left, right = figure.subplots(1, 2)
    for at, one in enumerate(figures):
        failures = one.trials - one.successes
        density = beta(one.successes + JEFFREYS, failures + JEFFREYS).pdf(RATES)
        look = {'color': colour_of(at), 'linestyle': '-'}
        _draw_density(left, RATES, density, one.name, look)
    reach = _reach(comparisons)
    steps = np.linspace(*reach, DIFFERENCE_STEPS)
    for at, comparison in enumerate(comparisons):
        cumulative = np.array([comparison.posterior.cumulative(step) for step in steps])
        density = np.gradient(cumulative, steps)
        _draw_density(right, steps, density, _label(comparison), _look_of(at))
    right.axvline(0.0, color=SOFT, linewidth=1)
    left.set(title='success rate', xlim=(0, 1))
    right.set(title='difference', xlim=reach)
    for axes in (left, right):
        axes.set_yticks([])
        axes.xaxis.set_major_formatter(PERCENT)
        axes.spines['left'].set_visible(False)
        axes.legend(loc='upper center', bbox_to_anchor=(0.5, -0.12), ncols=2, fontsize=8.5)
    return figure


def _draw_density(
    axes: Axes, at: Floats, density: Floats, label: str, look: Mapping[str, Any]
) -> None:
    axes.plot(at, density, label=label, **look)
    axes.fill_between(at, density, color=look['color'], alpha=0.12, linewidth=0)
    # Where all trials ended alike the density has no upper end.
    top = 1.15 * float(np.percentile(density, 97))
    axes.set_ylim(0.0, max(top, axes.get_ylim()[1] if axes.lines[1:] else 0.0))


def draw_evidence(comparisons: Sequence[Comparison]) -> Figure:
    """Evidence against "no difference" after each pair, and what it has to pass."""
    figure = new_figure(2.9)
    axes = figure.subplots()
    longest = max(len(one.log_evidence) for one in comparisons)
    for at, one in enumerate(comparisons):
        values = np.exp(np.concatenate(([0.0], one.log_evidence)))
        look = _look_of(at)
        axes.step(range(len(values)), values, where='post', label=_label(one), **look)
        after = one.decided_after or len(one.log_evidence)
        size = 6 if one.decided_after else 4
        axes.plot(after, values[after], 'o', color=look['color'], markersize=size)
    for threshold in sorted({round(1.0 / one.own_alpha, 6) for one in comparisons}):
        axes.axhline(threshold, color=SOFT, linewidth=1)
        axes.annotate(
            f'enough: {threshold:g}', (longest, threshold), (0, 3), textcoords='offset points',
            ha='right', color=SOFT,
        )  # fmt: skip
    unit = 'pairs' if all(one.is_paired for one in comparisons) else 'pairs, or trials of each'
    axes.set(yscale='log', xlabel=unit, ylabel='evidence', xlim=(0, longest * 1.02))
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, 1e-3), max(high, 2.5 / comparisons[0].own_alpha))
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(lambda value, _: f'{value:g}')
    figure.legend(loc='outside lower left', ncols=3, fontsize=8.5)
    return figure


def _look_of(at: int) -> dict[str, Any]:
    """Of a comparison: not in the colour of a condition."""
    colour, style = ((INK, SOFT)[at // 4 % 2], ('-', '--', ':', '-.')[at % 4])
    return {'color': colour, 'linestyle': style}


def _label(comparison: Comparison) -> str:
    return f'{comparison.first} \u2212 {comparison.second}'


def _layouts(session: ReportedSession, task: str) -> list[str]:
    """Easiest first, so that fields with the same outcome stand together."""
    trials = [record for record in session.counted if record.task == task]
    layouts = dict.fromkeys(record.layout for record in trials)

    def ease(layout: str) -> float:
        return float(np.mean([record.success for record in trials if record.layout == layout]))

    return sorted(layouts, key=ease, reverse=True)


def _field(place: tuple[float, float], colour: str, share: float) -> Rectangle:
    return Rectangle(place, 0.84 * share, 0.76, facecolor=colour, edgecolor='none')


def _reach(comparisons: Sequence[Comparison]) -> tuple[float, float]:
    ends = [one.posterior.credible_interval(0.9999) for one in comparisons]
    low, high = min(min(end) for end in ends), max(max(end) for end in ends)
    return max(-1.0, min(low, -0.1) - 0.05), min(1.0, max(high, 0.1) + 0.05)
