"""Plots of how trials went: time to completion, motion, traces of the end effector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from magma_ros.evaluation.report.condition_figures import ConditionFigures
from magma_ros.evaluation.report.plot_style import (
    INK,
    LINE,
    PERCENT,
    WIDTH_IN,
    colour_of,
    new_figure,
    without_grid,
)
from magma_ros.evaluation.report.reported_session import ReportedSession
from magma_ros.evaluation.report.trial_files import TrialFiles
from magma_ros.evaluation.sessions.trial_record import TrialRecord

Floats = NDArray[np.float64]
Files = Mapping[TrialRecord, TrialFiles]

TRACE_POINTS = 150
JITTER = 0.16  # of the dots in a column, so that they do not hide each other


def draw_completion(session: ReportedSession, figures: Sequence[ConditionFigures]) -> Figure:
    """A panel for each task: share of the trials that are done, over time."""
    tasks = session.tasks
    figure = new_figure(2.7, WIDTH_IN if len(tasks) > 1 else 0.7 * WIDTH_IN)
    panels = np.ravel(figure.subplots(1, len(tasks), sharey=True))
    for axes, task in zip(panels, tasks, strict=True):
        for at, name in enumerate(session.names):
            one = next(f for f in figures if (f.name, f.task) == (name, task))
            if one.curve is None:
                continue
            inside = one.curve.times_s < one.curve.horizon_s
            times = np.concatenate(([0.0], one.curve.times_s[inside], [one.curve.horizon_s]))
            done = 1.0 - np.concatenate(
                ([1.0], one.curve.not_done[inside], one.curve.not_done[-1:])
            )
            axes.step(times, done, where='post', color=colour_of(at), label=name)
        axes.set(title=task, xlabel='time / s', ylim=(0.0, 1.03), xlim=(0.0, None))
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.yaxis.set_major_formatter(PERCENT)
    panels[0].set_ylabel('trials done')
    _legend_below(figure, panels[0])
    return figure


def draw_motions(session: ReportedSession, files: Files) -> Figure | None:
    """A dot for each successful trial: duration, path length, jerk, spectral arc length."""
    known = [r for r in session.counted if r.success and (m := files[r].motion) and m.figures]
    if not known:
        return None
    figure = new_figure(2.9)
    panels = figure.subplots(1, 4)
    titles = ('duration / s', 'path length / m', 'log jerk', 'spectral arc length')
    for axes, title, values in zip(
        panels, titles, zip(*(_values(r, files) for r in known), strict=True), strict=True
    ):
        for at, name in enumerate(session.names):
            mine = [
                value
                for value, record in zip(values, known, strict=True)
                if session.name_of(record) == name
            ]
            if not mine:
                continue
            # Evenly spread sideways in a fixed irregular order: the same page every time.
            shift = JITTER * np.cos(2.4 * np.arange(len(mine)))
            axes.plot(at + shift, mine, 'o', color=colour_of(at), alpha=0.5, markersize=4, mew=0)
            median = float(np.median(mine))
            axes.hlines(median, at - 0.3, at + 0.3, color=colour_of(at), linewidth=2.5)
        axes.set(title=title, xlim=(-0.6, len(session.names) - 0.4))
        axes.set_xticks(
            range(len(session.names)), session.names, rotation=25, ha='right', fontsize=8.5
        )
        without_grid(axes, 'x')
        if title.startswith(('duration', 'path')):
            axes.set_ylim(bottom=0.0)
    return figure


def draw_traces(session: ReportedSession, files: Files) -> Figure | None:
    """For each task and condition all ways of the end effector, from above and from the side."""
    known = [record for record in session.counted if files[record].motion]
    tasks = [task for task in session.tasks if any(record.task == task for record in known)]
    if not tasks:
        return None
    figure = new_figure(4.3 * len(tasks))
    rows = figure.subplots(
        2 * len(tasks), len(session.names), squeeze=False, sharex='row', sharey='row'
    )
    for task, above, side in zip(tasks, rows[::2], rows[1::2], strict=True):
        trials = [record for record in known if record.task == task]
        for at, name in enumerate(session.names):
            for record in sorted(trials, key=lambda one: session.name_of(one) == name):
                own = session.name_of(record) == name
                _draw_way(
                    (above[at], side[at]), files[record], record.success, at if own else None
                )
            above[at].set_title(name)
            above[at].set_xlabel('y / cm')
            side[at].set_xlabel('x / cm')
        above[0].set_ylabel(f'{task}, from above: x / cm')
        side[0].set_ylabel('from the side: z / cm')
        above[0].invert_xaxis()  # as one sees it from behind the arm: y is to the left
        for axes in (*above, *side):
            axes.set_aspect('equal')
            axes.xaxis.set_major_locator(MaxNLocator(5))
    return figure


def _draw_way(
    panels: tuple[Axes, Axes], files: TrialFiles, success: bool, condition: int | None
) -> None:
    """One way in both panels; without a condition, in grey as the background."""
    x, y, z = 100 * _thinned(files, TRACE_POINTS).T
    colour = LINE if condition is None else colour_of(condition)
    style = '-' if success or condition is None else (0, (2.5, 2))
    for axes, horizontal, vertical in ((panels[0], y, x), (panels[1], x, z)):
        axes.plot(horizontal, vertical, color=colour, linewidth=1.0, linestyle=style)
        if condition is not None and not success:
            axes.plot(horizontal[-1:], vertical[-1:], 'x', color=colour, markersize=5)


def _values(record: TrialRecord, files: Files) -> tuple[float, ...]:
    motion = files[record].motion
    assert motion is not None
    assert motion.figures is not None
    one = motion.figures
    return record.duration_s, one.path_length_m, one.log_jerk, one.spectral_arc_length


def _legend_below(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc='outside lower left', ncols=min(5, len(labels)), fontsize=9,
        labelcolor=INK,
    )  # fmt: skip


def small_trace(
    files: Files, record: TrialRecord, partners: Sequence[TrialRecord], steps: int = 60
) -> list[tuple[str, bool]]:
    """Ways from above as SVG points in a 100 x 100 field: (points, is this trial); itself last."""
    shown = [one for one in (*partners, record) if files[one].motion]
    if not shown or shown[-1] is not record:
        return []
    ways = [_from_above(files[one], steps) for one in shown]
    low = np.min([way.min(axis=0) for way in ways], axis=0)
    high = np.max([way.max(axis=0) for way in ways], axis=0)
    span = max(float((high - low).max()), 1e-3)
    middle = (low + high) / 2
    placed = [50 + 90 * (way - middle) / span for way in ways]
    return [
        (' '.join(f'{x:.0f},{y:.0f}' for x, y in way), one is record)
        for way, one in zip(placed, shown, strict=True)
    ]


def _from_above(one: TrialFiles, steps: int) -> Floats:
    """(n, 2): to the right and down on the page, seen from behind the arm."""
    return -_thinned(one, steps)[:, [1, 0]]


def _thinned(one: TrialFiles, steps: int) -> Floats:
    """(n, 3) at most so many of the positions, evenly chosen; only finite ones."""
    assert one.motion is not None
    way = one.motion.position_m
    chosen = np.unique(np.linspace(0, len(way) - 1, min(steps, len(way))).astype(int))
    return way[chosen][np.isfinite(way[chosen]).all(axis=1)]
