"""Reads a dataset with tensorflow-datasets and prints what it saw, for test_rlds.py.

``dataset_folder name``: as OpenVLA does it, by name, and by the folder of the version.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import tensorflow_datasets as tfds

folder = Path(sys.argv[1])
by_name = tfds.builder(folder.name, data_dir=str(folder.parent))
builder = tfds.builder_from_directory(str(folder / '1.0.0'))
episodes = [
    {
        'path': episode['episode_metadata']['file_path'].decode(),
        'steps': [
            {
                'picture': step['observation']['image'].tolist(),
                'state': step['observation']['state'].tolist(),
                'joints': step['observation']['joint_state'].tolist(),
                'stamp_ns': int(step['observation']['stamp_ns']),
                'action': step['action'].tolist(),
                'said': step['language_instruction'].decode(),
                'flags': [bool(step[f'is_{name}']) for name in ('first', 'last', 'terminal')],
                'reward': float(step['reward']),
                'discount': float(step['discount']),
            }
            for step in episode['steps']
        ],
    }
    for episode in tfds.as_numpy(builder.as_dataset(split='train'))
]
seen = {
    'episodes': episodes,
    'counts': {name: split.num_examples for name, split in builder.info.splits.items()},
    'by_name': [by_name.name, str(by_name.version)],
}
print(json.dumps(seen))  # noqa: T201 (the test reads it)
