"""Opens the key of a session for its report; from then on no trial can be added."""

from __future__ import annotations

from dataclasses import dataclass

from magma_ros.errors import ConfigurationError
from magma_ros.evaluation.sessions.sealing import Key
from magma_ros.evaluation.sessions.session_file import Session
from magma_ros.evaluation.sessions.session_folder import (
    UNSEALED,
    SessionFolder,
    now_utc,
    write_json,
)
from magma_ros.evaluation.sessions.trial_record import TrialRecord


@dataclass(frozen=True)
class UnsealedSession:
    """Everything a report is made of."""

    folder: SessionFolder
    session: Session
    key: Key
    trials: tuple[TrialRecord, ...]  # valid ones, in order
    invalid: tuple[TrialRecord, ...]
    missing: int  # trials that were planned and never run

    def name_of(self, code: str) -> str:
        """Name of the condition a code stands for."""
        return self.key.conditions[code].name


def unseal(folder: SessionFolder, end_early: bool = False) -> UnsealedSession:
    """What the codes mean, and all trials.

    Args:
        folder: of the session.
        end_early: end a session that is not complete; it cannot be resumed after that.

    Raises:
        ConfigurationError: trials are missing and ``end_early`` was not asked for, a process runs
            the session, or the key is not the one that was drawn.
    """
    if not folder.is_unsealed:
        with folder.claim():
            _open(folder, end_early)
    records = folder.records()
    valid = tuple(record for record in records if not record.invalid)
    key = folder.open_key()
    return UnsealedSession(
        folder,
        folder.open_file(key),
        key,
        valid,
        tuple(record for record in records if record.invalid),
        len(folder.plan.order) - len(valid),
    )


def _open(folder: SessionFolder, end_early: bool) -> None:
    remaining = len(folder.remaining())
    if remaining and not end_early:
        raise ConfigurationError(
            f'{folder.path} lacks {remaining} of {len(folder.plan.order)} trials, and who looks '
            f'at results before the end decides by them when to end: magma session resume '
            f'{folder.path}, or end it for good with magma session report --end-early'
        )
    write_json(
        folder.path / UNSEALED,
        {'unsealed_utc': now_utc(), 'missing': remaining, 'ended_early': bool(remaining)},
    )
