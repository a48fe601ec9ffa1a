from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from session_kit import SECRET, write_table

from magma_ros.evaluation.sessions.new_session import create_session
from magma_ros.evaluation.sessions.session_folder import SessionFolder


@pytest.fixture
def make_session(tmp_path: Path) -> Callable[..., SessionFolder]:
    """A session folder, made without loading a model."""

    def make(change: Callable[[dict], Any] = lambda table: None) -> SessionFolder:
        file = write_table(tmp_path / 'file.yaml', change)
        return create_session(file, tmp_path / 'session', lambda choice: SECRET)

    return make
