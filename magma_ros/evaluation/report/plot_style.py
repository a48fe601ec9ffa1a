"""How plots look: drawn in the colours of the light page, stored with the names of its colours.

The page defines the names for light and dark, so one drawing fits both.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

INK, SOFT, LINE = '#1c2430', '#5d6978', '#dfe4ea'
CONDITION_COLOURS = (
    '#2f62c9',
    '#cf6a0a',
    '#14804b',
    '#9b3fbf',
    '#b3372e',
    '#0f8a94',
    '#8a6d1f',
    '#6b7281',
)
CSS_NAMES = {
    INK: 'var(--ink)',
    SOFT: 'var(--soft)',
    LINE: 'var(--line)',
    **{colour: f'var(--c{at})' for at, colour in enumerate(CONDITION_COLOURS)},
}
WIDTH_IN = 8.4
SETTINGS: dict[Any, Any] = {
    'svg.fonttype': 'none',
    'svg.hashsalt': 'magma_ros',
    'font.family': 'sans-serif',
    'font.size': 9.5,
    'text.color': INK,
    'text.parse_math': False,  # names may have a $ in them
    'axes.labelcolor': SOFT,
    'axes.edgecolor': LINE,
    'axes.titlecolor': INK,
    'axes.titlesize': 10.5,
    'axes.titlelocation': 'left',
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.grid': True,
    'axes.axisbelow': True,
    'grid.color': LINE,
    'grid.linewidth': 0.8,
    'xtick.color': SOFT,
    'ytick.color': SOFT,
    'xtick.major.size': 0,
    'ytick.major.size': 0,
    'legend.frameon': False,
    'lines.linewidth': 1.8,
    'lines.solid_capstyle': 'round',
    'figure.facecolor': 'none',
    'axes.facecolor': 'none',
    'savefig.facecolor': 'none',
}
PERCENT = FuncFormatter(lambda rate, _: f'{100 * rate:.0f} %')


@contextmanager
def styled() -> Iterator[None]:
    """Everything drawn and stored in here looks like the report."""
    with rc_context(SETTINGS):
        yield


def new_figure(height_in: float, width_in: float = WIDTH_IN) -> Figure:
    """A figure that lays itself out."""
    return Figure(figsize=(width_in, height_in), layout='constrained')


def colour_of(at: int) -> str:
    """Of the condition at this place in the order of the report."""
    return CONDITION_COLOURS[at % len(CONDITION_COLOURS)]


def without_grid(axes: Axes, axis: Literal['x', 'y']) -> None:
    """Leave out the grid lines that would mean nothing."""
    axes.grid(visible=False, axis=axis)


def as_svg(figure: Figure, meaning: str) -> str:
    """The drawing as an inline SVG element; ``meaning`` is for those who cannot see it."""
    file = io.StringIO()
    with styled():
        nothing = {'Date': None, 'Creator': None, 'Format': None, 'Type': None}
        figure.savefig(file, format='svg', metadata=nothing)
    text = file.getvalue()
    text = text[text.index('<svg') :]
    text = re.sub(r'<metadata>.*?</metadata>', '', text, flags=re.DOTALL)
    # Names of groups repeat from plot to plot, and nothing refers to them.
    text = re.sub(r'<g id="[^"]*"', '<g', text)
    text = re.sub(r' width="[\d.]+pt" height="[\d.]+pt"', '', text, count=1)
    for colour, name in CSS_NAMES.items():
        text = text.replace(colour, name)
    escaped = meaning.replace('&', '&amp;').replace('"', '&quot;').replace('<', '&lt;')
    return text.replace('<svg', f'<svg role="img" aria-label="{escaped}"', 1).strip()
