"""Steps that are noted when finished, so that an interrupted run goes on. Stdlib only."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Step:
    """One step: run again when the digest of what goes into it has changed."""

    name: str
    digest: str
    run: Callable[[], None]


def carry_out(
    steps: Sequence[Step], stamp_file: Path, clock_s: Callable[[], float] = time.monotonic
) -> int:
    """Run the steps whose digest is not noted in the stamp file, and note each.

    A step may delete the stamp file; then every step after it is run.

    Returns:
        Number of steps that were run.
    """
    count = 0
    for step in steps:
        if read_stamp(stamp_file).get(step.name) == step.digest:
            continue
        print(f'{step.name} ... ', end='', flush=True)
        started_s = clock_s()
        step.run()
        _note(stamp_file, step)
        print(f'{clock_s() - started_s:.0f} s', flush=True)
        count += 1
    return count


def read_stamp(stamp_file: Path) -> dict[str, str]:
    """Finished steps and their digests; none when the file is missing or damaged."""
    try:
        return dict(json.loads(stamp_file.read_text(encoding='utf-8')))
    except (OSError, ValueError):
        return {}


def digest_files(files: Iterable[Path]) -> str:
    """SHA-256 over names and contents of files; directories are skipped."""
    digest = hashlib.sha256()
    for file in sorted(file for file in files if file.is_file()):
        digest.update(file.name.encode() + b'\0' + file.read_bytes() + b'\0')
    return digest.hexdigest()


def digest_text(text: str) -> str:
    """SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _note(stamp_file: Path, step: Step) -> None:
    done = {**read_stamp(stamp_file), step.name: step.digest}
    # Replaced as a whole: an interrupted write must not lose the steps noted before.
    temporary = stamp_file.with_suffix('.tmp')
    temporary.write_text(json.dumps(done, indent=1), encoding='utf-8')
    temporary.replace(stamp_file)
