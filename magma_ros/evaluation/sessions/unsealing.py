"""Opens the key of a session for its report; from then on no trial can be added."""

from __future__ import annotations

from magma_ros.errors import ConfigurationError
from magma_ros.evaluation.report.reported_session import ReportedSession
from magma_ros.evaluation.sessions.sealing import Key
from magma_ros.evaluation.sessions.session_folder import (
    STOPPED,
    UNSEALED,
    SessionFolder,
    now_utc,
    write_json,
)
from magma_ros.evaluation.statistics.sequential import ALPHA


def unseal(folder: SessionFolder, end_early: bool = False) -> ReportedSession:
    """All trials, and what their codes mean.

    Args:
        folder: of the session.
        end_early: end a session that is not complete; it cannot be resumed after that.

    Raises:
        ConfigurationError: trials are missing and ``end_early`` was not asked for, a process runs
            the session, or the key is not the one that was drawn.
        RecordingError: the records are damaged, or of another session.
    """
    if not folder.is_unsealed:
        with folder.claim():
            _open(folder, end_early)
    key = folder.open_key()
    session, records = folder.open_file(key), folder.records()
    missing = len(folder.plan.order) - sum(not record.invalid for record in records)
    wanted = session.comparison
    codes = [key.code_of(name) for name in session.conditions]
    return ReportedSession(
        session.title,
        folder.path,
        records,
        {code: key.conditions[code].name for code in codes},
        missing,
        is_fixed=not missing and (wanted is None or wanted.stopping == 'none'),
        primary=None if wanted is None else (wanted.first, wanted.second),
        alpha=ALPHA if wanted is None else wanted.alpha,
        facts=_facts(folder, key),
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


def _facts(folder: SessionFolder, key: Key) -> dict[str, str]:
    plan = folder.plan
    hidden = 'blinded until the report' if plan.blinding else 'not blinded'
    end = ', ended by its stopping rule' if (folder.path / STOPPED).exists() else ''
    facts = {
        'session': f'made {plan.created_utc}, seed {plan.seed}, through {plan.through}, '
        f'{hidden}{end}',
        'magma_ros': plan.magma_ros,
        'session file, sha256': plan.file_sha256,
        'key, sha256': plan.key_sha256,
    }
    for code, one in key.conditions.items():
        given = ', '.join(f'{name} {value}' for name, value in one.table.items() if value != '')
        model = f'; {one.model_name}, sha256 {one.model_sha256}' if one.model_name else ''
        facts[f'{code}: {one.name}'] = f'{given}{model}'
    return facts
