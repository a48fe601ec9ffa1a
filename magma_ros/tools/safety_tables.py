"""The tables of docs/safety.md that must equal the code; a test compares them.

``python -m magma_ros.tools.safety_tables docs/safety.md`` writes them anew between their markers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from magma_ros.motion.arming import CHECKS
from magma_ros.motion.causes import CAUSE_RULES
from magma_ros.motion.modes import TransitionRules
from magma_ros.motion.reason_codes import Reason
from magma_ros.motion.watchdog import WatchdogThresholds
from magma_ros.resources import config_path
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.tools.interface_tables import make_table, with_tables

JOINTS = (
    'joint_speed_rad_s',
    'joint_brake_rad_s2',
    'joint_margin_rad',
    'singularity_slow',
    'singularity_stop',
    'tracking_m',
    'tracking_rad',
    'tracking_s',
)


def envelope_table() -> str:
    """The limits of every arm profile."""
    names = sorted(path.stem for path in config_path('arms').glob('*.yaml'))
    profiles = [load_arm_profile(name) for name in names]
    rows = [
        (f'`{one.name}`', *(_written(getattr(profile.limits, one.name)) for profile in profiles))
        for one in fields(profiles[0].limits)
    ]
    rows += [
        (f'`{name}`', *(_written(getattr(profile, name)) for profile in profiles))
        for name in JOINTS
    ]
    return make_table(('limit', *names), rows)


def threshold_table() -> str:
    """Times and counts of the watchdog and the state machine."""
    rows = [
        (f'`{one.name}`', _written(one.default))
        for kind in (WatchdogThresholds, TransitionRules)
        for one in fields(kind)
    ]
    return make_table(('threshold', 'default'), rows)


def cause_table() -> str:
    """What stops the arm, how badly, and what ends it."""
    rows = []
    for reason, rule in CAUSE_RULES.items():
        demands = ' or '.join(severity.name for severity in rule.severities)
        by_hand = 'yes' if rule.allows_takeover else 'no'
        resumes = 'if allowed' if rule.may_resume else 'no'
        rows.append((f'{int(reason)} {reason.name}', demands, rule.clears, by_hand, resumes))
    return make_table(('cause', 'demands', 'over when', 'driving by hand', 'resumes'), rows)


def reason_table() -> str:
    """Every reason code."""
    rows = ((str(int(reason)), f'`{reason.name}`', reason.text) for reason in Reason)
    return make_table(('code', 'name', 'meaning'), rows)


def arming_table() -> str:
    """The arming checks."""
    rows = ((f'`{name}`', advice) for name, (_, advice) in CHECKS.items())
    return make_table(('check', 'when it fails'), rows)


SAFETY_TABLES: dict[str, Callable[[], str]] = {
    'envelope': envelope_table,
    'thresholds': threshold_table,
    'causes': cause_table,
    'arming': arming_table,
    'reasons': reason_table,
}


def _written(value: Any) -> str:
    if not isinstance(value, tuple):
        return str(value)
    return str(value[0]) if len(set(value)) == 1 else ', '.join(map(str, value))


if __name__ == '__main__':
    page = Path(sys.argv[1])
    page.write_text(with_tables(page.read_text(encoding='utf-8'), SAFETY_TABLES), encoding='utf-8')
