"""A few noisy pictures in the layout that ``magma data convert --to magma`` writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.spatial.transform import Rotation

from magma_ros.data_types import CameraModel
from magma_ros.model.action_scaling import load_statistics
from magma_ros.rotations import make_pose

STATISTICS_KEY = 'magma_nano_sim'
INSTRUCTION = 'pick up the red cube'
LENGTH, CLOSE_AT = 6, 4
# One metre above the table, looking straight down: 500 px a metre, base x to the right.
OVERHEAD = CameraModel(
    640, 480, 500.0, 500.0, 320.0, 240.0,
    make_pose(np.array([0.3, 0.0, 1.0]), Rotation.from_euler('x', np.pi)),
)  # fmt: skip


def write_tiny(folder: Path, episodes: int = 4) -> Path:
    """Some picks, down onto a cube and up again; every second one is for validation."""
    names = [f'pick_{number}' for number in range(episodes)]
    for name, chosen in (('conversations', names[::2]), ('conversations_val', names[1::2])):
        entries = [entry for episode in chosen for entry in _entries(folder, episode)]
        if entries:
            (folder / f'{name}.json').write_text(json.dumps(entries))
    statistics = load_statistics(STATISTICS_KEY)
    action = {name: getattr(statistics, name).tolist() for name in ('q01', 'q99', 'mask')}
    (folder / 'dataset_statistics.json').write_text(
        json.dumps({STATISTICS_KEY: {'action': action}})
    )
    return folder


def _entries(folder: Path, episode: str) -> list[dict[str, Any]]:
    random = np.random.default_rng(list(episode.encode()))
    (folder / 'images' / episode).mkdir(parents=True)
    entries = []
    for step in range(LENGTH):
        image = f'images/{episode}/{step:06d}.jpg'
        Image.fromarray(random.integers(0, 256, (48, 64, 3), np.uint8)).save(folder / image)
        opening = 1.0 if step < CLOSE_AT else 0.0
        height_m = 0.02 + 0.03 * abs(step - CLOSE_AT)
        question = f'<image>\nWhat action should the robot take to {INSTRUCTION}?'
        entries.append(
            {
                'id': f'{episode}/{step:06d}',
                'image': image,
                'conversations': [
                    {'from': 'human', 'value': question},
                    {'from': 'gpt', 'value': '<action>' * 7},
                ],
                'magma_ros': {
                    'episode': episode,
                    'step': step,
                    'instruction': INSTRUCTION,
                    'action': [0.04 * random.uniform(-1, 1), 0.01, -0.03, 0, 0, 0, opening],
                    'state': [0.3, 0.05, height_m, 0.0, 0.0, 0.0, opening],
                    'statistics_key': STATISTICS_KEY,
                },
            }
        )
    return entries


def edit(folder: Path, name: str, change: Any) -> None:
    """Replace a JSON file by what ``change`` makes of it."""
    path = folder / name
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
