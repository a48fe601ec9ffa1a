"""What the controller says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus

from magma_ros.data_types import MotionCommand
from magma_ros.motion.state_machine import Mode
from magma_ros.nodes.control_tick import ControlTick
from magma_ros.ros.deadline_loop import Lateness
from magma_ros.ros.status_messages import ERROR, OK, WARN, status_message

LEVELS = {Mode.HOLD: WARN, Mode.STOP: ERROR, Mode.ESTOP: ERROR}


def describe_state(
    control: ControlTick,
    sent: MotionCommand | None,
    ages: Mapping[str, float | None],
    lateness: Lateness,
    servo_status: str,
) -> DiagnosticStatus:
    """``/magma/state``: the mode in words, and everything behind it as values."""
    led_here, active = control.state.reasons, control.reasons
    values: dict[str, Any] = {
        'mode': control.state.mode.value,
        'reason': led_here[0].name if led_here else '',
        'code': int(led_here[0]) if led_here else 0,
        'active': ' '.join(reason.name for reason in active),
        'at_rest': str(control.is_at_rest).lower(),
        'servo': servo_status,
        'clipped': ' '.join(sent.clipped) if sent else '',
        'refused': ' '.join(f'{name}:{count}' for name, count in control.refused.items()),
        'late_p50_ms': lateness.p50_ms,
        'late_p99_ms': lateness.p99_ms,
        'late_max_ms': lateness.max_ms,
        'ticks_missed': lateness.missed,
    }
    if sent is not None and sent.observation_age_s is not None:
        values['observation_age_s'] = sent.observation_age_s
    values.update({name: age_s for name, age_s in ages.items() if age_s is not None})
    text = '; '.join([control.state.mode.value, *(reason.text for reason in led_here)])
    return status_message('controller', text, values, LEVELS.get(control.state.mode, OK))
