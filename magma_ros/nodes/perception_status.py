"""What perception says about itself in /magma/perception_state and /diagnostics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticStatus

from magma_ros.image.image_checks import Finding
from magma_ros.nodes.model_worker import ModelWorker
from magma_ros.nodes.prediction_loop import Condition
from magma_ros.ros.status_messages import ERROR, OK, WARN, status_message


def perception_status(
    condition: Condition,
    mode: str,
    worker: ModelWorker | None,
    measured: Mapping[str, str],
    warnings: Sequence[Finding] = (),
) -> DiagnosticStatus:
    """One status; its reason asks the controller to hold (ERROR) or to slow down (WARN).

    ``warnings`` ask for nothing: they have no reason, only words.
    """
    fault = condition.fault
    level = OK
    if not condition.is_ok:
        level = WARN if fault is None else ERROR
    elif fault is not None or warnings:
        level = WARN
    values = {'reason': fault.name if fault else '', 'mode': mode}
    if warnings:
        values['warnings'] = '; '.join(f'{one.code}: {one.text}' for one in warnings)
    if worker is not None:
        state, loaded = worker.state, worker.loaded
        values |= {
            'worker': state.stage,
            'worker_pid': str(worker.pid),
            'worker_s': f'{worker.stage_s:.0f}',
            'worker_load_s': f'{worker.load_s:.2f}',
            'worker_restarts': str(state.restarts),
            'worker_mb': f'{_resident_mb(worker.pid):.0f}',
        }
        if loaded is not None:
            values |= {'model': loaded.identity.name, 'model_sha256': loaded.identity.sha256}
            if loaded.statistics is not None:
                values['statistics'] = loaded.statistics.key
    return status_message('perception', condition.text, {**values, **measured}, level)


def _resident_mb(pid: int) -> float:
    """Memory of a process: while weights are read, it grows towards their size."""
    try:
        fields = Path(f'/proc/{pid}/status').read_text()
    except OSError:  # it has just ended
        return 0.0
    for line in fields.splitlines():
        if line.startswith('VmRSS:'):
            return int(line.split()[1]) / 1024
    return 0.0
