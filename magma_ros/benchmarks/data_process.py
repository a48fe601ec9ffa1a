"""One conversion in a process of its own, to measure its memory or to kill it.

Prints the name of each episode that is done and, at its end, the peak of its memory.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from magma_ros.benchmarks.data import lerobot_rules
from magma_ros.dataset.export.conversion import convert


def main() -> None:
    """Arguments: the folder to make, then bags."""
    out, *bags = map(Path, sys.argv[1:])
    convert(bags, out, lerobot_rules(256), 1, lambda name, done, of: _say(name))
    _say(json.dumps({'peak_mb': _peak_mb()}))


def _peak_mb() -> float:
    """Of this program alone; getrusage begins with the peak of who started it."""
    status = Path('/proc/self/status').read_text(encoding='utf-8')
    line = next(line for line in status.splitlines() if line.startswith('VmHWM:'))
    return int(line.split()[1]) / 1024


def _say(text: str) -> None:
    sys.stdout.write(f'{text}\n')
    sys.stdout.flush()


if __name__ == '__main__':
    main()
