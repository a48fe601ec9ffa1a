from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from messages import START_NS, arrival, number

from magma_ros.dataset.pre_trigger import MOST_LATCHED, PreTrigger


@settings(max_examples=50, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 500), max_size=60),
    capacity=st.integers(0, 3000),
    steps=st.integers(1, 60),
)
def test_it_holds_the_newest_within_both_bounds(
    sizes: list[int], capacity: int, steps: int
) -> None:
    ring = PreTrigger(steps * 1e-3, capacity)
    messages = [arrival(index, size) for index, size in enumerate(sizes)]
    for message in messages:
        ring.add(message)
        assert ring.size <= capacity
    held = ring.take(START_NS)
    assert held == messages[len(messages) - len(held) :]
    assert len(held) <= steps
    if len(held) < min(steps, len(messages)):  # then one more would have been too much
        more = messages[len(messages) - len(held) - 1 :]
        assert sum(len(one.data) for one in more) > capacity
    assert ring.size == 0
    assert ring.take(START_NS) == []


def test_latched_messages_begin_every_episode_and_only_once() -> None:
    ring = PreTrigger(0.01, 10_000)
    old = arrival(0, topic='/latched')
    for _ in range(3):
        ring.add_latched(old)
        ring.add(old)
    for index in range(100, 110):
        ring.add(arrival(index))
    new = arrival(109, topic='/latched')
    ring.add_latched(new)
    ring.add(new)
    for _ in range(2):
        held = ring.take(START_NS + 10**9)
        said = [number(one.data) for one in held if one.topic == '/latched']
        assert said == [0, 109]
        assert [one.received_ns for one in held] == sorted(one.received_ns for one in held)


def test_latched_messages_are_bounded() -> None:
    ring = PreTrigger(0.0, 0)
    for index in range(3 * MOST_LATCHED):
        ring.add_latched(arrival(index, topic='/latched'))
    held = [number(one.data) for one in ring.take(START_NS)]
    assert held == list(range(2 * MOST_LATCHED, 3 * MOST_LATCHED))
