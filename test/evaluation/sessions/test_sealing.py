"""What the operator can see must not say which condition runs; see also test_session_command."""

from __future__ import annotations

import hashlib
import stat
from collections import Counter
from itertools import permutations
from random import SystemRandom

from session_kit import SECRET, ScriptedRunner

from magma_ros.evaluation.sessions.new_session import create_session
from magma_ros.evaluation.sessions.sealing import SealedCondition, draw_key, key_as_json
from magma_ros.evaluation.sessions.session_run import run_session

NAMES = ('steady_hand', 'shaky_hand', 'nano_straight')
CONDITIONS = [SealedCondition(name, {}, '', '') for name in ('one', 'two', 'three')]


def test_every_assignment_of_codes_can_be_drawn() -> None:
    drawn = Counter(
        tuple(one.name for one in draw_key(CONDITIONS, True).conditions.values())
        for _ in range(600)
    )

    assert set(drawn) == set(permutations(('one', 'two', 'three')))
    assert min(drawn.values()) > 50  # 100 are expected; less than 50 has a chance of 1e-7


def test_without_blinding_codes_follow_the_file() -> None:
    key = draw_key(CONDITIONS, False)

    assert [one.name for one in key.conditions.values()] == ['one', 'two', 'three']
    assert key.code_of('two') == 'B'


def test_the_published_checksum_of_a_key_cannot_be_guessed() -> None:
    """The same assignment has another checksum each time: there are only six to try."""
    checksums = {
        hashlib.sha256(key_as_json(draw_key(CONDITIONS, False)).encode()).hexdigest()
        for _ in range(3)
    }

    assert len(checksums) == 3


def test_the_seed_does_not_give_the_codes_away(make_session, tmp_path, monkeypatch) -> None:
    """The order of codes is the seed's; what they mean is not, or the file would be the key."""
    monkeypatch.setattr(SystemRandom, 'shuffle', lambda self, things: None)
    one = make_session()
    monkeypatch.setattr(SystemRandom, 'shuffle', lambda self, things: things.reverse())
    other = create_session(tmp_path / 'file.yaml', tmp_path / 'again', lambda choice: SECRET)

    assert other.plan.order == one.plan.order
    assert [one.open_key().code_of(name) for name in NAMES] == ['A', 'B', 'C']
    assert [other.open_key().code_of(name) for name in NAMES] == ['C', 'B', 'A']


def test_only_the_sealed_folder_names_conditions_and_it_is_closed(make_session) -> None:
    folder = make_session()
    run_session(folder, ScriptedRunner(lambda attempt: {}))

    sealed = folder.path / 'sealed'
    assert stat.S_IMODE(sealed.stat().st_mode) == 0o700
    assert stat.S_IMODE((sealed / 'key.json').stat().st_mode) == 0o600
    open_files = [
        path
        for path in folder.path.rglob('*')
        if path.is_file() and not path.is_relative_to(sealed)
    ]
    assert len(open_files) >= 2
    for path in open_files:
        text = f'{path} {path.read_text()}'.lower()
        for word in ('steady', 'shaky', 'straight', 'secret', 'direct', 'ab' * 32):
            assert word not in text, path
