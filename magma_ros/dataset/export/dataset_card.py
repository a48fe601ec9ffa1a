"""README.md of a dataset, with the header the Hugging Face hub reads."""

from __future__ import annotations

from typing import Any

from magma_ros import __version__
from magma_ros.dataset.export.dataset_files import Dataset

CARD = """\
---
pretty_name: {name}
task_categories:
- robotics
tags:
- {tag}
- magma_ros
size_categories:
- {size}
---

# {name}

{steps} steps of {episodes} episodes ({seconds:.0f} s) of the arm {arm}, made from rosbags by
magma_ros {version}. `report.html` says how good each episode is and what was left out, and why.

| | |
|---|---|
| format | {format} |
| rate | {rate:g} Hz |
| pictures | {cameras}, {pixels} |
| actions | from {source}, {turn}, gripper {gripper} |
| split | {train} episodes for training, {validation} for validation |
| left out | {excluded} episodes |

An action is the displacement of the gripper until the next step: metres along the axes of the
arm's base, a turn about the same axes, and the gripper. `dataset_statistics.json` has its
quantiles in OpenVLA's form, under the key `{name}`.

## Instructions

{instructions}

## Licence

Not chosen yet: whoever publishes this dataset says so here.
"""


def dataset_card(dataset: Dataset, report: dict[str, Any]) -> str:
    """The whole text."""
    rules, steps = dataset.rules, int(report['steps'])
    said: dict[str, int] = {}
    for episode in dataset.episodes:
        for text, count in episode.about['figures']['instructions'].items():
            said[text] = said.get(text, 0) + count
    lines = [f'- {_plain(text)} ({count})' for text, count in sorted(said.items())]
    size_px = rules.sampling.size_px
    return CARD.format(
        name=rules.name,
        tag='LeRobot' if rules.format == 'lerobot' else 'imitation-learning',
        size=_size(steps),
        steps=steps,
        episodes=len(dataset.episodes),
        seconds=report['duration_s'],
        arm=rules.mapping.arm,
        version=__version__,
        format=rules.format,
        rate=rules.sampling.rate_hz,
        cameras=', '.join(dataset.cameras),
        pixels=f'{size_px} x {size_px}' if size_px else 'as recorded',
        source=rules.convention.source,
        turn=rules.convention.turn.replace('_', ' '),
        gripper=f'{rules.convention.open_value} is open',
        train=len(dataset.train),
        validation=len(dataset.validation),
        excluded=len(report['excluded']),
        instructions='\n'.join(lines[:100]),
    )


def _size(steps: int) -> str:
    for limit, name in ((1_000, 'n<1K'), (10_000, '1K<n<10K'), (100_000, '10K<n<100K')):
        if steps < limit:
            return name
    return '100K<n<1M'


def _plain(text: str) -> str:
    """Words of a person as Markdown leaves them alone."""
    return ''.join(f'\\{letter}' if letter in '\\`*_{}[]<>#|!' else letter for letter in text)
