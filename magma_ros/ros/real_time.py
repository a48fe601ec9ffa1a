"""Asks the kernel to run this process before others; to be called before ``rclpy.init``.

Threads inherit the scheduling of the thread that starts them, so this way the threads of the
middleware are included: a punctual loop that waits for a late middleware is not punctual.
"""

from __future__ import annotations

import os

PRIORITY = 40  # that of MoveIt Servo; interrupts are above


def claim_real_time() -> str | None:
    """Switch the whole process to SCHED_FIFO; what to do about it when that is not allowed."""
    if not hasattr(os, 'sched_setscheduler'):
        return 'no real-time scheduling on this system; the control loop may be late under load'
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except PermissionError:
        return (
            'real-time scheduling is not permitted; the control loop may be late under load. '
            f'Allow it with "<user> - rtprio {PRIORITY}" in /etc/security/limits.conf'
        )
    return None
