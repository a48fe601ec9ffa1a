"""Where a model runs, and how much memory is free there (torch for CUDA)."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import torch

from magma_ros.errors import ConfigurationError, EnvironmentMissing

AUTO, CPU = 'auto', 'cpu'
_CUDA = re.compile(r'cuda(:\d+)?')


def choose_device(wanted: str = AUTO) -> str:
    """``auto`` is CUDA if there is a usable GPU, else the CPU.

    Raises:
        ConfigurationError: the name is none of auto, cpu, cuda and cuda:<number>.
        EnvironmentMissing: CUDA was asked for and is not there.
    """
    if wanted == AUTO:
        return 'cuda' if torch.cuda.is_available() else CPU
    if wanted == CPU:
        return wanted
    if not _CUDA.fullmatch(wanted):
        raise ConfigurationError(
            f'there is no device {wanted!r}: choose auto, cpu, cuda, or cuda:<number>'
        )
    number = int(wanted.partition(':')[2] or 0)
    if number >= torch.cuda.device_count():
        raise EnvironmentMissing(
            f'torch {torch.__version__} sees {torch.cuda.device_count()} CUDA devices, so '
            f'{wanted} is not there: install a driver and a torch built for it, or choose cpu'
        )
    return wanted


def free_memory(device: str) -> int:
    """Bytes that can be had on the device now."""
    if device != CPU:
        return torch.cuda.mem_get_info(device)[0]
    return free_main_memory(Path('/'))


def free_main_memory(root: Path) -> int:
    """What the kernel can give without swapping, within the limit of the container.

    Args:
        root: of the file system with ``proc`` and ``sys``.

    Raises:
        EnvironmentMissing: there is no ``/proc/meminfo``.
    """
    meminfo = root / 'proc/meminfo'
    text = meminfo.read_text() if meminfo.is_file() else ''
    available = re.search(r'^MemAvailable:\s+(\d+) kB', text, re.MULTILINE)
    if available is None:
        raise EnvironmentMissing(
            f'{meminfo} does not say how much memory is free: this needs Linux'
        )
    return max(min(int(available[1]) * 1024, _free_in_group(root / 'sys/fs/cgroup')), 0)


def _free_in_group(group: Path) -> int:
    """What the control group (a container's limit) leaves; files it has cached can be dropped."""
    limit = group / 'memory.max'
    if not limit.is_file() or (allowed := limit.read_text().strip()) == 'max':
        return sys.maxsize
    used = int((group / 'memory.current').read_text())
    cached = re.search(r'^file (\d+)', (group / 'memory.stat').read_text(), re.MULTILINE)
    return int(allowed) - used + (int(cached[1]) if cached else 0)
