"""What the controller says about itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus

from magma_ros.data_types import ArmState, MotionCommand
from magma_ros.motion.arming import CheckResult, Outcome, failed_names
from magma_ros.motion.authority import authority_of
from magma_ros.motion.modes import Mode
from magma_ros.nodes.control_tick import ControlTick
from magma_ros.ros.deadline_loop import Lateness
from magma_ros.ros.gripper_client import GripperClient
from magma_ros.ros.status_messages import ERROR, OK, WARN, status_message

LEVELS = {Mode.HOLD: WARN, Mode.STOP: ERROR, Mode.ESTOP: ERROR}


def describe_state(
    control: ControlTick,
    sent: MotionCommand | None,
    checks: Collection[CheckResult],
    lateness: Lateness,
    servo_status: str,
    more: Mapping[str, object],
    now_s: float,
) -> DiagnosticStatus:
    """``/magma/state``: the mode in words, and everything behind it as values."""
    led_here, active = control.state.reasons, control.reasons
    values: dict[str, Any] = {
        'mode': control.state.mode.value,
        'authority': authority_of(control.state.mode).value,
        'reason': led_here[0].name if led_here else '',
        'code': int(led_here[0]) if led_here else 0,
        'active': ' '.join(reason.name for reason in active),
        'nonce': control.nonce,
        'arming': ' '.join(failed_names(checks)),
        'speed_share': control.share(now_s),
        'at_rest': str(control.is_at_rest).lower(),
        'servo': servo_status,
        **more,
        'clipped': ' '.join(sent.clipped) if sent else '',
        'refused': ' '.join(f'{name}:{count}' for name, count in control.refused.items()),
        'late_p50_ms': lateness.p50_ms,
        'late_p99_ms': lateness.p99_ms,
        'late_max_ms': lateness.max_ms,
        'ticks_missed': lateness.missed,
    }
    if sent is not None and sent.observation_age_s is not None:
        values['observation_age_s'] = sent.observation_age_s
    if (age_s := control.chunk_age_s(now_s)) is not None:
        values['chunk_age_s'] = age_s
    text = '; '.join([control.state.mode.value, *(reason.text for reason in led_here)])
    return status_message('controller', text, values, LEVELS.get(control.state.mode, OK))


def gripper_values(gripper: GripperClient, arm: ArmState | None) -> dict[str, object]:
    """Openings, 0 closed to 1 open, and what became of the last goal; empty: not known."""
    return {
        'gripper_commanded': '' if gripper.commanded is None else gripper.commanded,
        'gripper_measured': '' if arm is None else arm.gripper_opening,
        'gripper_result': gripper.report.outcome.name,
        'gripper_text': gripper.report.text,
    }


def describe_checks(checks: Collection[CheckResult]) -> DiagnosticStatus:
    """For ``/diagnostics``: every arming check by name."""
    values = {
        check.name: f'{check.outcome.value}: {check.text}' if check.text else check.outcome.value
        for check in checks
    }
    failed = failed_names(checks)
    text = f'cannot arm: {", ".join(failed)}' if failed else 'nothing bars arming'
    return status_message('arming', text, values, WARN if failed else OK)


def write_checks(checks: Collection[CheckResult]) -> str:
    """For the answer of the arm service: every check by name, the failed ones with advice."""
    parts = []
    for outcome in (Outcome.FAILED, Outcome.WAIVED, Outcome.PASSED):
        names = [
            f'{check.name} ({check.text})' if outcome is Outcome.FAILED else check.name
            for check in checks
            if check.outcome is outcome
        ]
        if names:
            parts.append(f'{outcome.value}: {", ".join(names)}')
    return '; '.join(parts)
