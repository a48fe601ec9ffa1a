from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip('torch')
pytest.importorskip('transformers')

pytestmark = pytest.mark.torch
LARGEST_SHARD_MB = 60
# Allocator, numbers on their way to the disk, and code that is loaded only when it is used.
SLACK_MB = 96
PROGRAM = """
import resource, sys
from dataclasses import replace
from pathlib import Path
import torch
from magma_ros.model.network.magma_config import MAGMA_NANO
from magma_ros.model.weights.checkpoint import load_checkpoint
from magma_ros.model.weights.random_checkpoint import write_random_checkpoint

def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 // 1_000_000

wide = replace(MAGMA_NANO.decoder, hidden_size=1024, intermediate_size=4096)
folder = Path(sys.argv[1])
peaks = [peak_mb()]
write_random_checkpoint(
    replace(MAGMA_NANO, decoder=wide), folder, precision='fp32', shard_bytes=60_000_000
)
peaks.append(peak_mb())
small = load_checkpoint(folder, 'bf16', quantise='int8')
peaks.append(peak_mb())
del small
full = load_checkpoint(folder)
peaks.append(peak_mb())
print(*peaks, sum(tensor.nbytes for tensor in full.parameters()) // 1_000_000)
"""


def test_peak_is_the_finished_weights_and_one_shard(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, '-c', PROGRAM, str(tmp_path / 'model')], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    start, written, int8, full, weights = map(int, done.stdout.split())

    assert weights > 250
    assert written - start < SLACK_MB
    # A quarter of the weights, and never all of them in between.
    assert int8 - start < weights / 4 + LARGEST_SHARD_MB + SLACK_MB < weights
    assert full - start < weights + LARGEST_SHARD_MB + SLACK_MB < 2 * weights
