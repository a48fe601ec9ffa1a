"""The folder of a checkpoint: a local one, or a snapshot of a hub repository at a fixed revision.

A name without a revision may be other weights tomorrow, so it is refused. Only safetensors and
JSON files are fetched: nothing that could run.
"""

from __future__ import annotations

import re
from pathlib import Path

from magma_ros.errors import EnvironmentMissing, ModelError

FETCHED = ['*.safetensors', '*.json']
_PINNED = re.compile(r'([\w.-]+/[\w.-]+)@([0-9a-f]{40})')
_UNPINNED = re.compile(r'([\w.-]+/[\w.-]+)(@.*)?')


def find_folder(model: str | Path) -> Path:
    """The folder of ``model``: a path, or ``owner/name@<40 hexadecimal digits>``.

    A snapshot that is already in the hub's cache is used without asking the network.

    Raises:
        ModelError: there is neither such a folder nor a pinned revision of that name, or the hub
            did not give it.
        EnvironmentMissing: huggingface_hub is not installed.
    """
    path = Path(model)
    if path.is_dir():
        return path
    if pinned := _PINNED.fullmatch(str(model)):
        return _fetch(*pinned.groups())
    if not path.is_absolute() and (loose := _UNPINNED.fullmatch(str(model))):
        raise ModelError(
            f'{model} is not a folder; if it is a name on the hub, pin its revision, so that it '
            f'stays the same weights: {loose[1]}@<the 40 hexadecimal digits of a commit>'
        )
    raise ModelError(
        f'{model} is not a folder: give the folder of a checkpoint, or owner/name@<commit>'
    )


def _fetch(repository: str, revision: str) -> Path:
    try:
        from huggingface_hub import snapshot_download
    except ModuleNotFoundError as error:
        raise EnvironmentMissing(
            f'{error.name} is not installed: pip install -e ".[hub]", or download '
            f'{repository} at {revision} by hand and give the folder'
        ) from error
    try:
        folder = snapshot_download(repository, revision=revision, allow_patterns=FETCHED)
    except (OSError, ValueError) as error:  # ValueError: a name that cannot be on the hub
        raise ModelError(
            f'the hub did not give {repository} at {revision} ({error}): check the name, the '
            'revision and the network, or download it elsewhere and give the folder'
        ) from error
    return Path(folder)
