"""Sessions as their report gets them: records as wanted, with files on disk where asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from mcap.writer import Writer

from magma_ros.evaluation.report.reported_session import ReportedSession
from magma_ros.evaluation.sessions.trial_record import TrialRecord

PATH, DIRECT, PERSON = 'nano_path', 'nano_direct', 'simulated_person'
CONDITIONS = {'B': PATH, 'A': DIRECT, 'C': PERSON}
CODES = {name: code for code, name in CONDITIONS.items()}
BLANK = TrialRecord(
    trial=0,
    block=0,
    task='pick',
    layout='layout_0',
    code='A',
    success=True,
    scored_by='simulation',
    duration_s=5.0,
    ended='success',
    started_utc='2026-11-22T10:00:00+00:00',
    bag='',
    motion='',
    thumbnail='',
    interventions=0,
    safety_events=(),
    latency_p50_ms=float('nan'),
    latency_p95_ms=float('nan'),
    note='',
    invalid='',
)


def paired_session(
    folder: Path, *runs: tuple[str, Sequence[tuple[bool, ...]]], **facts: object
) -> ReportedSession:
    """Tasks with outcomes per layout, a value for each condition in the order of CONDITIONS."""
    width = len(runs[0][1][0])
    records = []
    for task, outcomes in runs:
        for at, row in enumerate(outcomes):
            for code, success in zip(CONDITIONS, row, strict=False):
                records.append(
                    replace(
                        BLANK,
                        trial=len(records),
                        task=task,
                        layout=f'layout_{at}',
                        code=code,
                        success=success,
                        duration_s=5.0 + at if success else 20.0,
                        ended='success' if success else 'time',
                    )
                )
    shown = dict(list(CONDITIONS.items())[:width])
    return ReportedSession('A session', folder, tuple(records), shown, **facts)  # type: ignore[arg-type]


def with_trials(session: ReportedSession, trials: Iterable[TrialRecord]) -> ReportedSession:
    return replace(session, trials=tuple(trials))


def save_motion(path: Path, length_m: float = 0.3) -> None:
    """Two seconds along a line, from rest to rest."""
    tau = np.linspace(0.0, 1.0, 100)
    way = length_m * (10 * tau**3 - 15 * tau**4 + 6 * tau**5)
    np.savez(path, t_s=2.0 * tau, position_m=way[:, None] * np.array([0.6, 0.0, 0.8]))


def save_picture(path: Path) -> None:
    cv2.imwrite(str(path), np.full((48, 64, 3), 128, np.uint8))


def save_bag(folder: Path, messages: int = 20) -> Path:
    """A finished bag of another recorder; its file."""
    folder.mkdir(parents=True)
    path = folder / 'bag_0.mcap'
    with path.open('wb') as stream:
        writer = Writer(stream)
        writer.start()
        schema = writer.register_schema('std_msgs/msg/String', 'ros2msg', b'string data')
        channel = writer.register_channel('/chatter', 'cdr', schema)
        for at in range(messages):
            writer.add_message(channel, at, b'\0\1\0\0' + 60 * b'x', at, at)
        writer.finish()
    return path
