"""Who had the arm: phases by hand in the modes of an episode."""

from __future__ import annotations

import pytest

from magma_ros.motion.authority import Authority, HandPhase, authority_of, find_hand_phases
from magma_ros.motion.modes import Mode

IDLE, POLICY, PAUSED = Authority.IDLE, Authority.POLICY, Authority.PAUSED


@pytest.mark.parametrize(
    ('modes', 'phases'),
    [
        ('', ()),
        ('ready policy policy ready', ()),
        ('ready teleop teleop ready', (HandPhase(1, 3, IDLE, False),)),
        ('ready policy teleop ready', (HandPhase(2, 3, POLICY, True),)),
        ('policy hold teleop hold', (HandPhase(2, 3, PAUSED, True),)),
        (
            'policy teleop ready teleop ready policy teleop estop',
            (
                HandPhase(1, 2, POLICY, True),
                HandPhase(3, 4, IDLE, True),
                HandPhase(6, 7, POLICY, True),
            ),
        ),
        ('policy teleop teleop', (HandPhase(1, 2, POLICY, True),)),
        ('teleop ready', (HandPhase(0, 1, IDLE, False),)),
    ],
)
def test_phases_by_hand(modes: str, phases: tuple[HandPhase, ...]) -> None:
    samples = [(at, Mode(name)) for at, name in enumerate(modes.split())]

    assert find_hand_phases(samples) == phases


def test_every_mode_has_an_authority() -> None:
    by_authority = {one: {m for m in Mode if authority_of(m) is one} for one in Authority}

    assert by_authority[Authority.TELEOP] == {Mode.TELEOP}
    assert by_authority[Authority.ESTOP] == {Mode.STOP, Mode.ESTOP}
    assert Mode.FINALIZED in by_authority[Authority.IDLE]
