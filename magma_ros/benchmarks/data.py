"""How fast recordings become datasets, in how much memory, and whether always the same ones."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from magma_ros.benchmarks.data_bags import CAMERA_HZ, DIFFERENT, encoded_picture, write_bag
from magma_ros.benchmarks.record import Entry
from magma_ros.dataset.actions.steps import NoOpRules
from magma_ros.dataset.export.conversion import convert
from magma_ros.dataset.export.conversion_rules import ConversionRules
from magma_ros.dataset.export.frame_files import VideoFrames
from magma_ros.dataset.export.staged_episode import hash_file
from magma_ros.dataset.features.mapping import load_mapping
from magma_ros.dataset.features.sampling import SamplingRules
from magma_ros.image.compressed_picture import rgb_from_compressed
from magma_ros.image.image_preparation import resize_for_robot

KEEP = NoOpRules(is_on=False)  # every step is worked on
BOUND_FRAMES = 300
PROGRAM = 'magma_ros.benchmarks.data_process'


def magma_rules() -> ConversionRules:
    """5 Hz and 256 px, as Magma is trained."""
    return ConversionRules('bench', 'magma', load_mapping('wx250s'), no_ops=KEEP)


def lerobot_rules(size_px: int) -> ConversionRules:
    """Every picture of the camera, as x264 video; ``size_px`` 0: as it was recorded."""
    sampling = SamplingRules(CAMERA_HZ, size_px)
    return ConversionRules('bench', 'lerobot', load_mapping('wx250s'), sampling, no_ops=KEEP)


def measure(duration_s: float = 60.0) -> list[Entry]:
    """All entries; bags of ``duration_s`` are made for them, about 5 MB a second."""
    with tempfile.TemporaryDirectory(prefix='magma_data_') as folder:
        root = Path(folder)
        long = [write_bag(root / name, duration_s) for name in ('a', 'b')]
        short = write_bag(root / 'short', duration_s / 8)
        convert([short], root / 'warm', magma_rules())  # imports, tables of the resize
        return [
            *_speeds(long, root, duration_s),
            _share_of_bound(long[0], root, duration_s),
            _memory(short, long[0], root, duration_s),
            *_sameness(long, root),
        ]


def _seconds(bags: Sequence[Path], out: Path, rules: ConversionRules, workers: int = 1) -> float:
    start_s = time.perf_counter()
    convert(bags, out, rules, workers)
    return time.perf_counter() - start_s


def _speeds(bags: list[Path], root: Path, duration_s: float) -> list[Entry]:
    plain_s = _seconds(bags[:1], root / 'plain', magma_rules())
    traced_s = _seconds(bags[:1], root / 'traced', replace(magma_rules(), with_traces=True))
    video_s = _seconds(bags, root / 'video', lerobot_rules(0), workers=2)
    return [
        _speed('data: 5 Hz, 256 px, one core', duration_s / plain_s, 25.0),
        _speed('data: the same with traces', duration_s / traced_s, 8.0),
        _speed('data: LeRobot 640x480 x264 30 fps, two cores', 2 * duration_s / video_s, 4.0),
    ]


def _speed(name: str, value: float, goal: float) -> Entry:
    return Entry(name, value, 'times real time', goal, higher_is_better=True)


def _share_of_bound(bag: Path, root: Path, duration_s: float) -> Entry:
    """Frames a second of a conversion against decode + resize + encode by themselves."""
    bound_hz = _bound_hz(root / 'bound')
    took_s = _seconds([bag], root / 'frames', lerobot_rules(256))
    made_hz = duration_s * CAMERA_HZ / took_s
    name = 'data: frames/s against decode + resize + encode alone'
    return Entry(name, made_hz, 'Hz', 0.85, baseline=bound_hz, higher_is_better=True)


def _bound_hz(folder: Path) -> float:
    folder.mkdir()
    octets = [encoded_picture(index) for index in range(DIFFERENT)]
    frames = VideoFrames(folder, CAMERA_HZ)
    start_s = time.perf_counter()
    for index in range(BOUND_FRAMES):
        rgb = rgb_from_compressed(octets[index % DIFFERENT], 'camera')
        frames.add(index, {'image': resize_for_robot(rgb, 256)})
    frames.close()
    return BOUND_FRAMES / (time.perf_counter() - start_s)


def _memory(short: Path, long: Path, root: Path, duration_s: float) -> Entry:
    """Peak memory of a process of its own, for an eighth of the bag and for all of it."""
    peaks = [_peak_mb(bag, root / f'memory_{bag.name}') for bag in (short, long)]
    slope = (peaks[1] - peaks[0]) / (duration_s * 7 / 8 / 60.0)
    return Entry('data: memory by length of the bag', slope, 'MB per minute', 5.0)


def _peak_mb(bag: Path, out: Path) -> float:
    done = subprocess.run(_command(out, bag), capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1])['peak_mb'])


def _command(out: Path, *bags: Path) -> list[str]:
    return [sys.executable, '-m', PROGRAM, str(out), *map(str, bags)]


def _sameness(bags: list[Path], root: Path) -> list[Entry]:
    reference = root / 'reference'
    convert(bags, reference, lerobot_rules(256))
    two = root / 'two'
    convert(bags, two, lerobot_rules(256), workers=2)
    killed = root / 'killed'
    with subprocess.Popen(_command(killed, *bags), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()  # the first episode is done
        time.sleep(0.2)  # and the second is in the middle
        os.kill(process.pid, signal.SIGKILL)
    complaints = ('it was not interrupted',) if killed.exists() else ()
    convert(bags, killed, lerobot_rules(256))
    return [
        _difference('data: files that differ with two workers', reference, two),
        replace(
            _difference('data: files that differ after a kill', reference, killed),
            complaints=complaints,
        ),
    ]


def _difference(name: str, one: Path, other: Path) -> Entry:
    count = len(set(_hashes(one).items()) ^ set(_hashes(other).items()))
    return Entry(name, count, 'files', 0.0)


def _hashes(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob('*') if path.is_file())
    return {path.relative_to(folder).as_posix(): hash_file(path) for path in files}
