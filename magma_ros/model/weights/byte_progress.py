"""A progress bar for what takes long because it is big: reading, hashing and writing weights."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from magma_ros.model.weights.checksum import Advance

SHOWN_FROM_BYTES = 1_000_000_000


@contextmanager
def byte_progress(what: str, total_bytes: int) -> Iterator[Advance]:
    """Gives a function to call with the bytes just done; silent when small or not on a terminal.

    The bar is on standard error.
    """
    console = Console(file=sys.stderr)
    columns = (
        TextColumn('{task.description}'),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    silent = total_bytes < SHOWN_FROM_BYTES or not console.is_terminal
    with Progress(*columns, console=console, disable=silent) as progress:
        task = progress.add_task(what, total=total_bytes)
        yield lambda count: progress.advance(task, count)
