"""Makes the folder of a session: everything that is decided before the first trial."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from magma_ros import __version__
from magma_ros.errors import ConfigurationError, RecordingError
from magma_ros.evaluation.sessions.conditions import Baseline, Condition, Policy, as_table
from magma_ros.evaluation.sessions.layouts import PictureLayouts
from magma_ros.evaluation.sessions.order import plan_order
from magma_ros.evaluation.sessions.sealing import SealedCondition, draw_key, key_as_json
from magma_ros.evaluation.sessions.session_file import load_session
from magma_ros.evaluation.sessions.session_folder import (
    FILE,
    FORMAT,
    KEY,
    LAYOUTS,
    PLAN,
    SEALED,
    Plan,
    SessionFolder,
    checksum_of,
    now_utc,
    write_json,
)
from magma_ros.image.image_preparation import prepare_image
from magma_ros.model.action_model import ModelIdentity
from magma_ros.model.backends.acting_model import ModelChoice, load_acting_model

Identify = Callable[[ModelChoice], ModelIdentity]
NOBODY = ModelIdentity('', '')


def identify(choice: ModelChoice) -> ModelIdentity:
    """Name and checksum of a model: it is loaded, or its server asked.

    Raises:
        MagmaError: it cannot be.
    """
    acting = load_acting_model(choice, prepare_image)
    acting.close()
    return acting.model.identity


def create_session(file: Path, out: Path, identify: Identify = identify) -> SessionFolder:
    """Read the session file, draw order and codes, write the folder ``out``.

    Raises:
        ConfigurationError: the file is wrong, or ``out`` holds something already.
        MagmaError: a model cannot be loaded.
        RecordingError: the folder cannot be written.
    """
    session = load_session(file)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigurationError(f'{out} is there already: give a folder that is new or empty')
    sealed = [
        _seal(name, one, _identity(one, identify)) for name, one in session.conditions.items()
    ]
    key = draw_key(sealed, session.blinding)
    content = key_as_json(key)
    try:
        (out / SEALED).mkdir(parents=True, mode=0o700)
        shutil.copyfile(file, out / FILE)
        _write_private(out / KEY, content)
        if isinstance(session.layouts, PictureLayouts):
            (out / LAYOUTS).mkdir()
            for path in session.layouts.pictures.values():
                shutil.copyfile(path, out / LAYOUTS / path.name)
    except OSError as error:
        raise RecordingError(f'{out} cannot be written: {error.strerror}') from error
    codes = tuple(key.conditions)
    plan = Plan(
        format=FORMAT,
        created_utc=now_utc(),
        magma_ros=__version__,
        title=session.title,
        through=session.through,
        blinding=session.blinding,
        seed=session.seed,
        codes=codes,
        file_sha256=checksum_of(out / FILE),
        key_sha256=hashlib.sha256(content.encode()).hexdigest(),
        order=plan_order(codes, session.cells, session.blocks, session.seed),
    )
    write_json(out / PLAN, asdict(plan))
    return SessionFolder(out)


def _identity(condition: Condition, identify: Identify) -> ModelIdentity:
    has_model = isinstance(condition, (Policy, Baseline))
    return identify(condition.choice) if has_model else NOBODY  # type: ignore[union-attr]


def _seal(name: str, condition: Condition, identity: ModelIdentity) -> SealedCondition:
    return SealedCondition(name, as_table(condition), identity.name, identity.sha256)


def _write_private(path: Path, content: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, 'w', encoding='utf-8') as file:
        file.write(content)
