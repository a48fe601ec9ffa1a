"""Who had the arm when, read afterwards from the modes of an episode: labels of interventions.

Each action says who commanded it by itself (``DeltaChunk.source``); the phases here say when a
person had the arm, also where no action was sent. HG-DAgger (Kelly et al. 2019) learns from those
in which a policy was corrected.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from magma_ros.motion.modes import LATCHED, Mode


class Authority(enum.Enum):
    """A coarse view of the modes, as data sets store it for each step."""

    IDLE = 'idle'
    POLICY = 'policy'
    PAUSED = 'paused'
    TELEOP = 'teleop'
    ESTOP = 'estop'


AUTHORITIES = {
    Mode.POLICY: Authority.POLICY,
    Mode.TELEOP: Authority.TELEOP,
    Mode.HOLD: Authority.PAUSED,
    **dict.fromkeys(LATCHED, Authority.ESTOP),
}


def authority_of(mode: Mode) -> Authority:
    """Who has the arm in a mode; nobody does in those that are not listed."""
    return AUTHORITIES.get(mode, Authority.IDLE)


@dataclass(frozen=True)
class HandPhase:
    """One time in which a person steered. Times in ns, on whichever clock the modes have."""

    start_ns: int
    end_ns: int  # the last mode of the episode, where it ends by hand
    taken_from: Authority
    corrects_policy: bool  # a policy moved the arm before, in the same episode


def find_hand_phases(modes: Iterable[tuple[int, Mode]]) -> tuple[HandPhase, ...]:
    """The phases of one episode, from its (time in ns, mode) in order; repeated modes are fine."""
    phases: list[HandPhase] = []
    began: tuple[int, Authority] | None = None
    before, last_ns, has_policy_moved = Authority.IDLE, 0, False
    for last_ns, mode in modes:
        now = authority_of(mode)
        if now is Authority.TELEOP and before is not Authority.TELEOP:
            began = (last_ns, before)
        if now is not Authority.TELEOP and began is not None:
            phases.append(HandPhase(began[0], last_ns, began[1], has_policy_moved))
            began = None
        has_policy_moved = has_policy_moved or now is Authority.POLICY
        before = now
    if began is not None:
        phases.append(HandPhase(began[0], last_ns, began[1], has_policy_moved))
    return tuple(phases)
