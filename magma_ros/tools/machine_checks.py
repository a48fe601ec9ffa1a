"""Checks of ``magma doctor`` on the machine: compiler, rendering, memory, scheduling, GPU."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from magma_ros.errors import EnvironmentMissing
from magma_ros.tools import machine
from magma_ros.tools.finding import Finding, probe

MEGABYTE = 1_000_000
# A node maps 35 MB of shared memory (config/fastdds_shared_memory.xml); the demo starts about ten.
SHARED_MEMORY_NEEDED = 400 * MEGABYTE
DISK_NEEDED = 2000 * MEGABYTE
GPU_S = 10.0

RENDER_A_PICTURE = """
import mujoco
model = mujoco.MjModel.from_xml_string('<mujoco><worldbody><light pos="0 0 3"/>'
    '<geom type="sphere" size=".3" rgba="1 0 0 1"/><camera pos="0 -2 0" xyaxes="1 0 0 0 0 1"/>'
    '</worldbody></mujoco>')
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
with mujoco.Renderer(model, 64, 64) as renderer:
    renderer.update_scene(data, camera=0)
    assert renderer.render().max() > 0, 'the picture is black'
"""


def check_python() -> Finding:
    """Whether the interpreter is one of the supported versions."""
    version = '.'.join(str(part) for part in sys.version_info[:3])
    ros = machine.RosKind.SOURCED if 'ROS_DISTRO' in os.environ else machine.RosKind.WHEELS
    try:
        machine.require_python(sys.version_info[:2], ros)
    except EnvironmentMissing as error:
        return Finding('Python', False, version, str(error))
    return Finding('Python', True, f'{version} in {sys.prefix}', 'nothing to do')


def check_compiler() -> Finding:
    """Whether messages could be built; not needed once they are."""
    try:
        machine.require_compiler()
        machine.require_headers(Path(sysconfig.get_paths()['include']))
    except EnvironmentMissing as error:
        return Finding('compiler', None, 'C++ compiler or Python headers missing', str(error))
    return Finding('compiler', True, 'C, C++ and Python.h found', 'nothing to do')


def check_rendering() -> Finding:
    """Whether the simulator can render pictures without a display."""
    backend = os.environ.get('MUJOCO_GL', 'egl')
    works, reason = probe(RENDER_A_PICTURE, {**os.environ, 'MUJOCO_GL': backend})
    if works:
        return Finding('rendering', True, f'MuJoCo renders with {backend}', 'nothing to do')
    return Finding(
        'rendering',
        False,
        f'MuJoCo cannot render with {backend}: {reason}',
        'install the EGL library (sudo apt install libegl1), or set MUJOCO_GL=osmesa after '
        'sudo apt install libosmesa6',
    )


def check_shared_memory(directory: Path = Path('/dev/shm')) -> Finding:
    """Whether the nodes' pictures fit into shared memory."""
    if not directory.is_dir():
        return Finding('shared memory', False, f'no {directory}', 'mount a tmpfs there')
    free = shutil.disk_usage(directory).free
    what = f'{free // MEGABYTE} MB free in {directory}'
    if free >= SHARED_MEMORY_NEEDED:
        return Finding('shared memory', True, what, 'nothing to do')
    return Finding(
        'shared memory',
        False,
        f'{what}; {SHARED_MEMORY_NEEDED // MEGABYTE} MB are needed',
        'start containers with --shm-size=1g or --ipc=host; what killed nodes left behind goes '
        'with: fastdds shm clean',
    )


def check_real_time() -> Finding:
    """Whether the controller may run at real-time priority."""
    code = 'import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(30))'
    permitted, _ = probe(code, os.environ)
    if permitted:
        return Finding('real time', True, 'SCHED_FIFO permitted', 'nothing to do')
    return Finding(
        'real time',
        None,
        'SCHED_FIFO not permitted: the control loop runs 4 to 14 ms late under load',
        'fine for the demo; for an arm add "<user> - rtprio 98" to /etc/security/limits.conf and '
        'log in again (containers: --cap-add=sys_nice --ulimit rtprio=98)',
    )


def check_disk(directory: Path | None = None) -> Finding:
    """Whether there is room for recordings, where the command runs."""
    free = shutil.disk_usage(directory or Path.cwd()).free
    what = f'{free / (1000 * MEGABYTE):.1f} GB free here'
    if free >= DISK_NEEDED:
        return Finding('disk', True, what, 'one camera records about 100 GB an hour raw')
    return Finding('disk', False, what, 'free some space, or record to another disk')


def check_gpu(model_file: Path = Path('/proc/device-tree/model')) -> Finding:
    """Which GPU there is and how much of its memory is free; magma-nano needs none."""
    board = model_file.read_text().rstrip('\0 \n') if model_file.is_file() else ''
    if 'Jetson' in board:
        return Finding(
            'GPU',
            True,
            f'{board}, {_free_memory()}',
            "its memory is the machine's; power mode and providers: docs/jetson.md",
        )
    if not shutil.which('nvidia-smi'):
        return Finding(
            'GPU',
            None,
            'no NVIDIA GPU found',
            'magma-nano runs without; Magma-8B needs one with 24 GB, here or on a model server',
        )
    query = ['nvidia-smi', '--query-gpu=name,memory.total,memory.free', '--format=csv,noheader']
    try:
        result = subprocess.run(query, capture_output=True, text=True, timeout=GPU_S)
    except subprocess.TimeoutExpired:
        return Finding('GPU', False, f'nvidia-smi silent for {GPU_S:g} s', 'restart the machine')
    if result.returncode:
        return Finding('GPU', False, 'nvidia-smi fails', 'repair the driver: run nvidia-smi')
    return Finding(
        'GPU',
        True,
        '; '.join(f'{line} free' for line in result.stdout.splitlines()),
        'Magma-8B needs 24 GB in half precision; what others hold: nvidia-smi',
    )


def _free_memory(meminfo: Path = Path('/proc/meminfo')) -> str:
    lines = dict(line.split(':', 1) for line in meminfo.read_text().splitlines())
    free_kb, whole_kb = (int(lines[name].split()[0]) for name in ('MemAvailable', 'MemTotal'))
    return f'{free_kb / 1e6:.1f} of {whole_kb / 1e6:.1f} GB free'
