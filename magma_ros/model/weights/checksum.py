"""Checksums that say which files a model was made of, and whether they still are."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from magma_ros.errors import ModelError

CHUNK_BYTES = 1 << 20
CHECKSUM_FILE = 'SHA256SUMS'  # beside the files, in the format of the sha256sum command
Advance = Callable[[int], object]  # called with the bytes just done
_LINE = re.compile(r'([0-9a-f]{64}) [ *]([^/\\]+)')


def checksum_files(paths: Iterable[Path], advance: Advance | None = None) -> str:
    """SHA-256 over the names and contents of the files, in the order given."""
    return combine_checksums((path.name, checksum_file(path, advance)) for path in paths)


def combine_checksums(named: Iterable[tuple[str, str]]) -> str:
    """One SHA-256 from the name and SHA-256 of each file, in the order given."""
    total = hashlib.sha256()
    for name, digest in named:
        total.update(f'{name} {digest}\n'.encode())
    return total.hexdigest()


def checksum_file(path: Path, advance: Advance | None = None) -> str:
    """SHA-256 of one file, read in pieces; ``advance`` hears the size of each."""
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            if advance:
                advance(len(chunk))
    return digest.hexdigest()


def write_checksums(directory: Path) -> Path:
    """Note the checksums of every file of a folder in its SHA256SUMS."""
    files = sorted(
        path for path in directory.iterdir() if path.is_file() and path.name != CHECKSUM_FILE
    )
    lines = [f'{checksum_file(path)}  {path.name}\n' for path in files]
    sums = directory / CHECKSUM_FILE
    sums.write_text(''.join(lines), encoding='utf-8')
    return sums


def find_damage(directory: Path) -> tuple[str, ...]:
    """Compare a folder with its SHA256SUMS; the names of the files that are missing or damaged.

    A list that is missing, empty or not in the format of sha256sum is damaged itself.
    """
    sums = directory / CHECKSUM_FILE
    if not sums.is_file():
        return (CHECKSUM_FILE,)
    lines = sums.read_text(encoding='utf-8', errors='replace').splitlines()
    expected = {match[2]: match[1] for line in lines if (match := _LINE.fullmatch(line))}
    if not expected or len(expected) != len(lines):
        return (CHECKSUM_FILE,)
    return tuple(
        name
        for name, digest in expected.items()
        if not (directory / name).is_file() or checksum_file(directory / name) != digest
    )


def require_undamaged(directory: Path) -> None:
    """Refuse a folder whose files are not those of its SHA256SUMS.

    A folder without the list passes: models that were just exported have none.

    Raises:
        ModelError: a file is missing or damaged.
    """
    if (directory / CHECKSUM_FILE).is_file() and (damaged := find_damage(directory)):
        raise ModelError(
            f'missing or damaged in {directory}: {", ".join(damaged)}. Restore it '
            '(git checkout, where it is the shipped one), or train it again: make train-nano'
        )
