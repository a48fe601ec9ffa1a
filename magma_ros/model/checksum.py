"""Checksums that say which files a model was made of."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

CHUNK_BYTES = 1 << 20


def checksum_files(paths: Sequence[Path]) -> str:
    """SHA-256 over the names and contents of the files, in the order given."""
    total = hashlib.sha256()
    for path in paths:
        total.update(f'{path.name} {checksum_file(path)}\n'.encode())
    return total.hexdigest()


def checksum_file(path: Path) -> str:
    """SHA-256 of one file, read in pieces."""
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
