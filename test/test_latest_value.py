from __future__ import annotations

import threading

from magma_ros.latest_value import LatestValue


def test_the_newest_value_wins_and_lost_ones_are_counted() -> None:
    slot: LatestValue[str] = LatestValue()
    for now_s, value in enumerate('abc'):
        slot.put(value, now_s)

    assert slot.take(0.0) == 'c'
    assert slot.overwritten == 2


def test_a_value_is_taken_once_but_seen_for_ever() -> None:
    slot: LatestValue[str] = LatestValue()
    slot.put('a', 0.0)

    assert slot.take(0.0) == 'a'
    assert slot.take(0.0) is None
    assert slot.peek() == 'a'
    slot.put('b', 1.0)
    assert slot.overwritten == 0


def test_age_counts_from_the_newest_value() -> None:
    slot: LatestValue[str] = LatestValue()

    assert slot.age_s(5.0) == float('inf')
    slot.put('a', 5.0)
    slot.take(0.0)
    assert slot.age_s(7.5) == 2.5


def test_an_empty_slot_gives_nothing() -> None:
    slot: LatestValue[str] = LatestValue()

    assert slot.peek() is None
    assert slot.take(0.001) is None


def test_a_waiting_thread_gets_what_another_puts() -> None:
    slot: LatestValue[int] = LatestValue()
    taken: list[int | None] = []
    waiting = threading.Thread(target=lambda: taken.append(slot.take(5.0)))
    waiting.start()

    slot.put(42, 0.0)
    waiting.join(5.0)

    assert taken == [42]


def test_each_value_reaches_one_of_many_takers() -> None:
    slot: LatestValue[int] = LatestValue()
    taken: list[int] = []

    def take_until_silent() -> None:
        while (value := slot.take(0.2)) is not None:
            taken.append(value)

    takers = [threading.Thread(target=take_until_silent) for _ in range(3)]
    for taker in takers:
        taker.start()
    for value in range(200):
        slot.put(value, 0.0)
    for taker in takers:
        taker.join(5.0)

    assert len(taken) == len(set(taken)) == 200 - slot.overwritten
    assert 199 in taken
