"""Topics and messages as ROS would give them, without ROS: CDR of the rosbags package."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for messages.py

from messages import STRING, arrival  # noqa: E402

from magma_ros.dataset.episode_writer import EpisodeWriter  # noqa: E402


@pytest.fixture
def write_bag(tmp_path: Path) -> Callable[..., Path]:
    """Writes a bag of numbered strings; its folder."""

    def write(name: str = 'episode', count: int = 50, size: int = 0) -> Path:
        with EpisodeWriter(tmp_path / name) as writer:
            writer.add_topic(STRING)
            writer.attach('arm.urdf', 'application/xml', b'<robot/>', 1)
            for index in range(count):
                writer.write(arrival(index, size))
            writer.note('magma_context', {'arm': 'wx250s'})
        return tmp_path / name

    return write
