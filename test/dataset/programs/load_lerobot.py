"""Reads a dataset with LeRobot's own loader and prints what it saw, for test_lerobot.py."""

from __future__ import annotations

import json
import sys

from lerobot.datasets.lerobot_dataset import LeRobotDataset

dataset = LeRobotDataset('local/cubes', root=sys.argv[1], video_backend='pyav')
item = dataset[5]
seen = {
    'frames': len(dataset),
    'episodes': dataset.num_episodes,
    'fps': dataset.fps,
    'task': item['task'],
    'picture': list(item['observation.images.image'].shape),
    'level': float(item['observation.images.image'].mean()),
    'action': [float(value) for value in item['action']],
    'last': float(dataset[len(dataset) - 1]['timestamp']),
}
print(json.dumps(seen))  # noqa: T201 (the test reads it)
