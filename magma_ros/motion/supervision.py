"""What the supervisor demands: silence of a watched process is a cause. Pure, and free of numpy.

The supervisor may only lower: it has no word for anything but causes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from magma_ros.motion.causes import Cause, Severity, reported_cause
from magma_ros.motion.reason_codes import Reason

ESTOP_PRESS_S = 1.0  # a press counts so long, though another publisher says "ok" right after it
LINGER_S = 1.0  # a demand is repeated so long, so that a controller that stood still hears it


@dataclass(frozen=True)
class Watch:
    """One heartbeat: how long it may be silent (s). None: that severity is never demanded."""

    reason: Reason
    hold_s: float | None
    stop_s: float | None = None
    estop_s: float | None = None


def find_silences(ages_s: Mapping[Reason, float], watches: Iterable[Watch]) -> tuple[Cause, ...]:
    """The causes of all silent sources; a source without an age was never heard."""
    causes = []
    for watch in watches:
        age_s = ages_s.get(watch.reason, math.inf)
        for limit_s, severity in (
            (watch.estop_s, Severity.ESTOP),
            (watch.stop_s, Severity.STOP),
            (watch.hold_s, Severity.HOLD),
        ):
            if limit_s is not None and not age_s <= limit_s:  # also for NaN
                causes.append(Cause(watch.reason, severity))
                break
    return tuple(causes)


@dataclass(frozen=True)
class Demands:
    """What is demanded, and until when at least (monotonic, s)."""

    until_s: tuple[tuple[Cause, float], ...] = ()

    @property
    def causes(self) -> tuple[Cause, ...]:
        """The causes in force."""
        return tuple(cause for cause, _ in self.until_s)

    def renew(self, causes: Iterable[Cause], now_s: float) -> Demands:
        """The present causes, and those that are over since less than LINGER_S."""
        kept = {cause: until_s for cause, until_s in self.until_s if until_s > now_s}
        kept.update({cause: now_s + LINGER_S for cause in causes})
        return Demands(tuple(kept.items()))


def write_causes(causes: Iterable[Cause]) -> str:
    """``HEARTBEAT_PERCEPTION:HOLD ESTOP:ESTOP``."""
    return ' '.join(f'{cause.reason.name}:{cause.severity.name}' for cause in causes)


def read_causes(text: str) -> tuple[Cause, ...]:
    """The causes of :func:`write_causes`; a word that is not understood is a reason to hold."""
    causes = []
    for word in text.split():
        name, _, severity = word.partition(':')
        known = Severity.__members__.get(severity)
        if known is None:
            causes.append(Cause(Reason.UNKNOWN_INPUT, Severity.HOLD))
        else:
            causes.append(reported_cause(name, Severity.ESTOP, known))
    return tuple(causes)
