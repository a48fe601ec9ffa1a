"""What came of the matrix: as docs/fault_results.json, and as the table of docs/safety.md."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from magma_ros.errors import ConfigurationError
from magma_ros.faults.fault_row import RowResult
from magma_ros.faults.matrix import ALL_IDS, NOT_COVERED

SECONDS_TO_MS = 1000.0


def described(results: Sequence[RowResult], machine: dict[str, Any], patience: float) -> dict:
    """What docs/fault_results.json keeps."""
    return {
        'machine': machine,
        'patience': patience,
        'rows': [
            {
                'id': result.row.id,
                'fault': result.row.fault,
                'trials': len(result.row.trials) * result.row.repeats,
                'note': result.row.note,
                'passed': result.is_passed,
                'modes': list(result.modes),
                'reasons': list(result.reasons),
                'brake_ms': _ms(result.brake_s),
                'rest_ms': _ms(result.rest_s),
                'allowed_ms': _ms(result.rest_bound_s),
                'violations': result.violations,
                'restarts': result.restarts,
                'complaints': list(result.complaints),
            }
            for result in results
        ],
    }


def keep_result(file: Path, result: RowResult, machine: dict[str, Any], patience: float) -> None:
    """Put a row into the file, in the place of an earlier run of it."""
    fresh = described([result], machine, patience)
    kept = json.loads(file.read_text(encoding='utf-8')) if file.is_file() else {'rows': []}
    others = [row for row in kept['rows'] if row['id'] != result.row.id]
    fresh['rows'] = sorted([*others, *fresh['rows']], key=lambda row: row['id'])
    file.write_text(f'{json.dumps(fresh, indent=1)}\n', encoding='utf-8')


def read_fault_results(file: Path) -> dict:
    """What :func:`described` has written.

    Raises:
        ConfigurationError: a row is missing, or it is no such file.
    """
    try:
        kept = json.loads(file.read_text(encoding='utf-8'))
        ids = {row['id'] for row in kept['rows']} | set(NOT_COVERED)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f'{file} cannot be read ({error}); write it with '
            '"magma bench faults --results docs/fault_results.json"'
        ) from error
    if missing := sorted(set(ALL_IDS) - ids):
        raise ConfigurationError(f'{file} lacks {", ".join(missing)}; run the whole matrix')
    return kept


def fault_table(kept: dict) -> str:
    """The Markdown of the matrix: what was run, then what was not."""
    machine, rows = kept['machine'], kept['rows']
    passed = sum(row['passed'] for row in rows)
    lines = [
        f'{passed} of {len(rows)} rows pass; {machine["processor"]}, {machine["cores"]} cores, '
        f'load {machine["load_1min"]}.\n',
        '| row | fault | trials | ends in, says | braking / ms | at rest / ms (allowed) | |',
        '|---|---|---|---|---|---|---|',
        *(_line(row) for row in rows),
        '\nNot covered:\n',
        '| row | fault | why |',
        '|---|---|---|',
        *(f'| {id_} | {fault} | {why} |' for id_, (fault, why) in NOT_COVERED.items()),
    ]
    return '\n'.join(lines) + '\n'


def _line(row: dict) -> str:
    fault = f'{row["fault"]} ({row["note"]})' if row['note'] else row['fault']
    ends = ', '.join((*row['modes'], *row['reasons']))
    rest = '' if row['allowed_ms'] is None else f'{row["rest_ms"]} ({row["allowed_ms"]})'
    brake = '' if row['brake_ms'] is None else str(row['brake_ms'])
    verdict = 'pass' if row['passed'] else 'FAILS: ' + '; '.join(row['complaints'])
    cells = (row['id'], fault, str(row['trials']), ends, brake, rest, verdict)
    return f'| {" | ".join(cell.replace("|", "/") for cell in cells)} |'


def _ms(seconds: float | None) -> float | None:
    if seconds is None or not math.isfinite(seconds):
        return None
    return round(seconds * SECONDS_TO_MS, 1)
