"""Whose press counts: stuck switches, switches pressed before we looked, two people at once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.teleop.arbiter import Arbiter
from magma_ros.teleop.deadman_guard import DeadmanGuard


def hear(guard, *readings):
    held = []
    for at_s, is_pressed in readings:
        guard = guard.hear(is_pressed, at_s)
        held.append(guard.is_held)
    return held


def test_a_switch_that_is_pressed_from_the_start_does_not_count():
    guard = DeadmanGuard(10.0)

    assert hear(guard, (0, True), (1, True), (2, False), (3, True)) == [False, False, False, True]


def test_a_taped_switch_counts_for_a_while_only():
    guard = DeadmanGuard(10.0)
    held = hear(guard, (0, False), (1, True), (11, True), (11.1, True), (99, True), (100, False))
    assert held == [False, True, True, False, False, False]

    assert hear(guard, (0, False), (1, True), (12, True), (13, False), (14, True))[-1]


def test_a_device_that_was_gone_must_be_seen_released():
    guard = DeadmanGuard(10.0).hear(False, 0.0).hear(True, 1.0)
    assert guard.is_held
    guard = guard.hear(False, 1.1, is_lost=True)
    assert not guard.is_held
    assert hear(guard, (1.2, True), (1.3, False), (1.4, True)) == [False, False, True]


STEPS = [
    # what is held, who steers then
    (['a'], 'a'),
    (['a', 'b'], 'a'),  # the second has no say
    (['b'], None),  # and does not get it when the first lets go
    ([], None),
    (['b'], 'b'),
    (['a', 'b'], 'b'),
    (['a'], None),
    (['a'], None),
    ([], None),
    (['a', 'b'], None),  # both at once: nobody
    (['a'], None),  # both must let go
    ([], None),
    (['a'], 'a'),
    (['b'], None),  # from one to the other within one tick: nobody
    (['b'], None),
]


def test_two_people():
    arbiter = Arbiter()
    for at, (pressing, owner) in enumerate(STEPS):
        arbiter = arbiter.hear({name: name in pressing for name in 'ab'})
        assert arbiter.owner == owner, f'step {at}'


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=30))
def test_whoever_steers_holds_a_switch_pressed_while_nobody_steered(history):
    arbiter, before = Arbiter(), {name: False for name in 'abc'}
    for bits in history:
        held = dict(zip('abc', bits, strict=True))
        owner_before = arbiter.owner
        arbiter = arbiter.hear(held)
        if arbiter.owner is not None:
            assert held[arbiter.owner]
            if arbiter.owner != owner_before:
                assert owner_before is None
                assert not before[arbiter.owner], 'only a new press takes over'
        before = held


@pytest.mark.parametrize('names', [[], ['a']])
def test_nobody_presses(names):
    assert Arbiter().hear(dict.fromkeys(names, False)).owner is None
