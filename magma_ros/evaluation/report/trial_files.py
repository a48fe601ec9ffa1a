"""What belongs to a trial on disk: motion, picture, bag. Whatever is missing or torn is named."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from magma_ros.dataset.bag_reader import bag_files, report_file
from magma_ros.dataset.mcap_scan import Ending
from magma_ros.errors import RecordingError
from magma_ros.evaluation.sessions.trial_record import TrialRecord
from magma_ros.evaluation.statistics.smoothness import MotionFigures, measure_motion
from magma_ros.evaluation.summary_page import make_thumbnail

Floats = NDArray[np.float64]

LARGEST_MOTION = 64 * 1024**2  # bytes
LARGEST_PICTURE = 16 * 1024**2


@dataclass(frozen=True)
class Motion:
    """Where the end effector went."""

    t_s: Floats  # (n,)
    position_m: Floats  # (n, 3), base frame
    figures: MotionFigures | None  # None: it cannot be measured


@dataclass(frozen=True)
class TrialFiles:
    """Of one trial."""

    motion: Motion | None
    thumbnail_jpeg: bytes | None
    complaints: tuple[str, ...]


def read_trial_files(
    folder: Path, trials: tuple[TrialRecord, ...]
) -> Mapping[TrialRecord, TrialFiles]:
    """Files of all trials; one that cannot be used becomes a complaint and nothing else."""
    return {record: _read_files(folder, record) for record in trials}


def _read_files(folder: Path, record: TrialRecord) -> TrialFiles:
    complaints: list[str] = []
    motion = thumbnail = None
    if record.motion:
        try:
            motion = _read_motion(_inside(folder, record.motion))
            motion, complaint = _measured(motion)
            # A trial that failed or did not count may well have stood still.
            complaints += [f'motion: {complaint}'] if complaint and record.success else []
        except RecordingError as error:
            complaints.append(f'motion: {error}')
    if record.thumbnail:
        try:
            thumbnail = _read_thumbnail(_inside(folder, record.thumbnail))
        except RecordingError as error:
            complaints.append(f'picture: {error}')
    if record.bag:
        try:
            complaints += [f'bag: {text}' for text in _check_bag(_inside(folder, record.bag))]
        except RecordingError as error:
            complaints.append(f'bag: {error}')
    # A report may be published; where the session lies on this machine is nobody's business.
    discreet = (text.replace(f'{folder}/', '') for text in complaints)
    return TrialFiles(motion, thumbnail, tuple(discreet))


def _inside(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise RecordingError(f'{name!r} is outside of the folder of the session; not read')
    return path


def _read_motion(path: Path) -> Motion:
    _check_size(path, LARGEST_MOTION)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            t_s = np.asarray(arrays['t_s'], dtype=float)
            position_m = np.asarray(arrays['position_m'], dtype=float)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise RecordingError(f'{path.name} cannot be read: {error}') from error
    if t_s.ndim != 1 or position_m.shape != (len(t_s), 3):
        raise RecordingError(
            f'{path.name}: t_s is {t_s.shape} and position_m {position_m.shape}, not (n,) and '
            '(n, 3)'
        )
    return Motion(t_s, position_m, None)


def _measured(motion: Motion) -> tuple[Motion, str]:
    """With its figures, or why there are none."""
    try:
        figures = measure_motion(motion.t_s, motion.position_m)
    except RecordingError as error:
        return motion, str(error)
    return Motion(motion.t_s, motion.position_m, figures), ''


def _read_thumbnail(path: Path) -> bytes:
    _check_size(path, LARGEST_PICTURE)
    data = np.frombuffer(path.read_bytes(), np.uint8)
    bgr = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    if bgr is None:
        raise RecordingError(f'{path.name} is no picture')
    return make_thumbnail(bgr[..., ::-1])


def _check_bag(path: Path) -> list[str]:
    """What is wrong with a bag, in words; the report itself needs nothing from it."""
    if not path.exists():
        raise RecordingError(f'{path.name} is not there')
    texts = []
    for file in bag_files(path):
        report = report_file(file)
        if report.ending is Ending.UNFINISHED:
            texts.append(
                f'{file.name} was cut off, {report.summary.message_count} messages are whole; '
                f'magma bags repair {path.name}'
            )
        elif report.ending is Ending.DAMAGED:
            damage = report.damages[0]
            texts.append(f'{file.name}, byte {damage.offset}: {damage.what}')
    return texts


def _check_size(path: Path, largest: int) -> None:
    if not path.is_file() or path.is_symlink():
        raise RecordingError(f'{path.name} is not there')
    if path.stat().st_size > largest:
        raise RecordingError(f'{path.name} is larger than {largest} bytes; not read')
