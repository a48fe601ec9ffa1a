"""LeRobot's own loader reads what we write, where LeRobot is installed.

Its requirements clash with ours, so it may live in a virtual environment of its own whose
interpreter the variable MAGMA_LEROBOT_PYTHON names.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from robot_bag import robot_arrivals, write_robot_bag

sys.path.insert(0, str(Path(__file__).parent / 'programs'))

from convert_bags import rules  # noqa: E402

from magma_ros.dataset.export.conversion import convert  # noqa: E402

PROGRAM = Path(__file__).parent / 'programs' / 'load_lerobot.py'
PYTHON = os.environ.get('MAGMA_LEROBOT_PYTHON') or (
    sys.executable if find_spec('lerobot') is not None else ''
)


@pytest.mark.skipif(not PYTHON, reason='LeRobot is not installed; set MAGMA_LEROBOT_PYTHON')
def test_lerobots_own_loader_reads_the_export(tmp_path: Path) -> None:
    bag = write_robot_bag(tmp_path / 'bag', robot_arrivals(2.0))
    folder = convert([bag], tmp_path / 'set', rules('lerobot')).folder
    environment = {**os.environ, 'HF_HUB_OFFLINE': '1'}

    done = subprocess.run(
        [PYTHON, str(PROGRAM), str(folder)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
    )

    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    statistics = json.loads((folder / 'meta/stats.json').read_text())
    assert (seen['episodes'], seen['fps']) == (1, 10)
    assert seen['picture'] == [3, 32, 32]
    assert seen['task'] == 'put the cube in the bowl'
    assert seen['last'] == pytest.approx((seen['frames'] - 1) / 10)
    mean = np.mean(statistics['observation.images.image']['mean'])
    assert seen['level'] == pytest.approx(mean, abs=0.1)
    assert len(seen['action']) == 7
