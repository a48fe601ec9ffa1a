"""``magma bench record``: recording, being killed while doing so, and taking over."""

from __future__ import annotations

from magma_ros.benchmarks import recorder, recorder_kills, takeover
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
    ]
