"""What one check of ``magma doctor`` found."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """Answer of one check.

    Attributes:
        topic: what was looked at.
        ok: True: there; False: something needed is missing; None: optional, or only worth knowing.
        what: what was found.
        next_step: what to do about it, or what it is good for.
    """

    topic: str
    ok: bool | None
    what: str
    next_step: str


def probe(code: str, environment: Mapping[str, str], timeout_s: float = 60.0) -> tuple[bool, str]:
    """Run Python code in a process of its own, where a crash or a hang does no harm.

    Returns:
        Whether it ended well, and its last line of output or of its error.
    """
    try:
        result = subprocess.run(
            [sys.executable, '-c', code],
            env=dict(environment),
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )
    except subprocess.TimeoutExpired:
        return False, f'no answer within {timeout_s:.0f} s'
    text = result.stderr if result.returncode else result.stdout
    lines = text.strip().splitlines()
    return result.returncode == 0, lines[-1] if lines else ''
