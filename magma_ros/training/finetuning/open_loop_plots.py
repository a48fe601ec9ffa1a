"""Pictures of what a model answers beside what was recorded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from magma_ros.image.image_preparation import resize_for_robot
from magma_ros.model.action_tokens import ACTION_NAMES
from magma_ros.model.text.trace_text import GRID, parse_trace_answer
from magma_ros.training.finetuning.conversations import Sample
from magma_ros.training.finetuning.pictures import read_picture

UNITS = (*(('mm', 1000.0),) * 3, *(('deg', 180.0 / np.pi),) * 3, ('opening', 1.0))


def draw_actions(samples: Sequence[Sample], predicted: np.ndarray, path: Path) -> None:
    """One episode: recorded and predicted action (n, 7) of each of its samples, step by step."""
    figure = Figure(figsize=(14, 5), layout='constrained')
    recorded = np.array([sample.action for sample in samples])
    steps = [sample.step for sample in samples]
    panels = figure.subplots(2, 4).flat
    for column, (name, (unit, scale)) in enumerate(zip(ACTION_NAMES, UNITS, strict=True)):
        panel = next(panels)
        panel.plot(steps, scale * recorded[:, column], label='recorded')
        panel.plot(steps, scale * predicted[:, column], '--', label='predicted')
        panel.set(title=f'{name} [{unit}]', xlabel='step')
    next(panels).axis('off')
    figure.legend(*panel.get_legend_handles_labels(), loc='lower right')
    figure.suptitle(f'open loop, validation episode {samples[0].episode}')
    figure.savefig(path, dpi=100)


def draw_traces(answers: Sequence[tuple[Sample, str]], path: Path) -> None:
    """Samples with the model's answer: recorded traces and predicted ones over the picture."""
    figure = Figure(figsize=(3 * len(answers), 3.4), layout='constrained')
    panels = figure.subplots(1, len(answers), squeeze=False)[0]
    for panel, (sample, said) in zip(panels, answers, strict=True):
        panel.imshow(resize_for_robot(read_picture(sample.picture), GRID))
        for text, style in ((sample.answer, 'o-'), (said, 'x--')):
            for trace in parse_trace_answer(text, GRID, GRID):
                x, y = np.vstack([trace.start_px, trace.points_px]).T
                panel.plot(x, y, style, label='recorded' if style == 'o-' else 'predicted')
        _, _, task = sample.question.rpartition(' is doing: ')
        panel.set_title(task[:40], fontsize=7)
        panel.set(xlim=(0, GRID), ylim=(GRID, 0))
        panel.axis('off')
    panels[0].legend()
    figure.savefig(path, dpi=100)
