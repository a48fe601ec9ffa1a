"""DiagnosticStatus and DiagnosticArray with plain text values, and the heartbeat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from std_msgs.msg import Header

from magma_ros.ros.time_stamps import stamp_from_ns

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


def status_message(
    name: str, text: str, values: Mapping[str, Any], level: bytes = OK
) -> DiagnosticStatus:
    """A status; values are written as ``str`` writes them, floats with four digits."""
    pairs = [KeyValue(key=key, value=_written(value)) for key, value in values.items()]
    return DiagnosticStatus(level=level, name=name, message=text, values=pairs)


def status_values(message: DiagnosticStatus) -> dict[str, str]:
    """The values of a status by their keys."""
    return {pair.key: pair.value for pair in message.values}


def diagnostics_message(status: DiagnosticStatus, stamp_ns: int) -> DiagnosticArray:
    """One status for ``/diagnostics``."""
    message = DiagnosticArray(status=[status])
    message.header.stamp = stamp_from_ns(stamp_ns)
    return message


def heartbeat_message(node_name: str, stamp_ns: int) -> Header:
    """A sign of life."""
    return Header(stamp=stamp_from_ns(stamp_ns), frame_id=node_name)


def _written(value: Any) -> str:
    if isinstance(value, float):
        return f'{value:.4f}'
    if isinstance(value, (tuple, list)):
        return ' '.join(_written(item) for item in value)
    return str(value)
