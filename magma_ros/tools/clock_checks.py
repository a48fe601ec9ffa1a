"""Check of ``magma doctor`` on this machine's clock: stamps of several machines are compared."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence

from magma_ros.tools.finding import Finding

LARGEST_OFFSET_S = 0.010  # a picture and a joint state this far apart are the same moment
RUN_S = 5.0
SET_UP = 'with camera, model or arm on another machine: sudo apt install chrony'


def check_clock(run: Callable[[Sequence[str]], str | None] | None = None) -> Finding:
    """Whether the clock is synchronised, as chrony or systemd says."""
    run = run or run_quietly
    tracking = run(['chronyc', '-n', 'tracking'])
    if tracking is not None:
        return _from_chrony(tracking)
    shown = run(['timedatectl', 'show', '--property=NTPSynchronized'])
    if shown is None:
        return Finding('clock', None, 'neither chrony nor systemd says', SET_UP)
    if 'NTPSynchronized=yes' in shown:
        return Finding('clock', True, 'synchronised by systemd', 'nothing to do')
    return Finding('clock', None, 'not synchronised', f'{SET_UP}, or timedatectl set-ntp true')


def run_quietly(command: Sequence[str]) -> str | None:
    """What a program prints; None if there is none, or it fails, or it takes too long."""
    if not shutil.which(command[0]):
        return None
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_S)
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 else None


def _from_chrony(tracking: str) -> Finding:
    offset = re.search(r'System time\s*:\s*([\d.]+) seconds (slow|fast)', tracking)
    if offset is None or re.search(r'Leap status\s*:\s*Not synchronised', tracking):
        return Finding(
            'clock', False, 'chrony runs and is not synchronised', 'chronyc sources; add a server'
        )
    seconds = float(offset[1])
    what = f'chrony: {seconds * 1e3:.2f} ms {offset[2]}'
    if seconds > LARGEST_OFFSET_S:
        return Finding('clock', False, what, 'wait, or step it: sudo chronyc makestep')
    return Finding('clock', True, what, 'nothing to do')
