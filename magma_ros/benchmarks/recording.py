"""``magma bench record``: recording, being killed, taking over, and the statistics of sessions."""

from __future__ import annotations

from magma_ros.benchmarks import recorder, recorder_kills, session_statistics, takeover
from magma_ros.benchmarks.record import Entry


def measure(seconds: float = recorder.SECONDS, kills: int = recorder_kills.KILLS) -> list[Entry]:
    """All figures of sessions that can be published.

    Args:
        seconds: of recording under load.
        kills: recorders that are killed.
    """
    return [
        *recorder.measure(seconds),
        *recorder_kills.measure(kills),
        *takeover.measure(),
        *session_statistics.measure(),
    ]
