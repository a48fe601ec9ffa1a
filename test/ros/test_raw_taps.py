"""Subscriptions that nobody spins: order, losses, foreign types and qualities of service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

rclpy = pytest.importorskip('rclpy')

from rclpy.context import Context  # noqa: E402
from rclpy.node import Node  # noqa: E402
from rclpy.qos import QoSProfile, ReliabilityPolicy  # noqa: E402
from std_msgs.msg import String  # noqa: E402

from magma_ros.ros import raw_taps, topics  # noqa: E402
from magma_ros.ros.raw_taps import RawTaps, _describe  # noqa: E402

NOW_NS = 10**18


def info(number: int | None, publisher: bytes = b'a', received_ns: int = NOW_NS) -> dict:
    return {
        'received_timestamp': received_ns,
        'source_timestamp': received_ns - 5,
        'publication_sequence_number': number,
        'publisher_gid': {'data': publisher},
    }


def test_losses_are_counted_for_each_publisher() -> None:
    tap = SimpleNamespace(numbers={})
    numbers = [(7, b'a'), (8, b'a'), (11, b'a'), (3, b'b'), (12, b'a'), (4, b'b'), (6, b'b')]
    lost = [_describe('/t', tap, b'', info(*one), NOW_NS).lost for one in numbers]  # type: ignore[arg-type]
    assert lost == [0, 0, 2, 0, 0, 0, 1]


def test_a_middleware_that_knows_no_times_gives_the_time_of_asking() -> None:
    tap = SimpleNamespace(numbers={})
    taken = _describe('/t', tap, b'x', {}, NOW_NS)  # type: ignore[arg-type]
    assert (taken.received_ns, taken.published_ns, taken.lost) == (NOW_NS, NOW_NS, 0)


class Offers:
    """A graph of made-up publishers, and queues of made-up messages."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.types: dict[str, str] = {}
        self.reliability = ReliabilityPolicy.RELIABLE
        self.queues: dict[str, list] = {}
        self.subscribed: list[tuple[str, ReliabilityPolicy]] = []
        monkeypatch.setattr(raw_taps, 'Node', lambda *_, **__: self)

    def get_publishers_info_by_topic(self, name: str) -> list:
        qos = QoSProfile(depth=1, reliability=self.reliability)
        kind = self.types.get(name)
        return [SimpleNamespace(topic_type=kind, qos_profile=qos)] if kind else []

    def create_subscription(self, kind: type, name: str, *rest: object, raw: bool) -> object:
        assert raw
        self.subscribed.append((name, rest[1].reliability))  # type: ignore[attr-defined]
        queue = self.queues.setdefault(name, [])

        class Handle:
            def __enter__(self) -> None:
                pass

            def __exit__(self, *_: object) -> None:
                pass

            def take_message(self, kind: type, is_raw: bool) -> object:
                return queue.pop(0) if queue else None

        return SimpleNamespace(handle=Handle())

    def destroy_subscription(self, subscription: object) -> None:
        pass


@pytest.fixture
def offers(monkeypatch: pytest.MonkeyPatch) -> Offers:
    return Offers(monkeypatch)


@pytest.fixture
def make_taps(offers: Offers) -> Callable[..., RawTaps]:
    node = SimpleNamespace(
        resolve_topic_name=lambda name: name, get_name=lambda: 'n', context=None
    )
    return lambda *names: RawTaps(node, names, {}, lambda *_: None)  # type: ignore[arg-type]


def test_a_type_that_is_not_installed_is_named_and_the_others_are_recorded(
    offers: Offers, make_taps: Callable[..., RawTaps]
) -> None:
    offers.types = {'/vendor': 'vendor_msgs/msg/Force', '/said': 'std_msgs/msg/String'}
    taps = make_taps('/vendor', '/said', '/silent')
    taps.look()
    taps.look()
    assert taps.topics == ['/said']
    assert '/vendor (vendor_msgs/msg/Force) cannot be recorded' in taps.unreadable['/vendor']
    assert len(offers.subscribed) == 1


def test_a_publisher_that_promises_less_is_heard_too(
    offers: Offers, make_taps: Callable[..., RawTaps]
) -> None:
    offers.types = {'/said': 'std_msgs/msg/String'}
    taps = make_taps('/said')
    taps.look()
    offers.reliability = ReliabilityPolicy.BEST_EFFORT
    taps.look()
    taps.look()
    assert [reliability for _, reliability in offers.subscribed] == [
        ReliabilityPolicy.RELIABLE,
        ReliabilityPolicy.BEST_EFFORT,
    ]


def test_messages_come_in_the_order_of_arrival_over_all_topics(
    offers: Offers, make_taps: Callable[..., RawTaps]
) -> None:
    offers.types = {'/a': 'std_msgs/msg/String', '/b': 'std_msgs/msg/String'}
    taps = make_taps('/a', '/b')
    taps.look()
    offers.queues['/a'] += [(b'1', info(1, b'a', 10)), (b'4', info(2, b'a', 40))]
    # The last one came after we began to ask; an earlier one may still come on /a.
    offers.queues['/b'] += [(b'2', info(1, b'b', 20)), (b'6', info(2, b'b', 60))]
    assert [one.data for one in taps.poll(50)] == [b'1', b'2', b'4']
    offers.queues['/a'] += [(b'5', info(3, b'a', 55))]
    assert [one.data for one in taps.poll(70)] == [b'5', b'6']
    assert taps.poll(80) == []


def test_a_clock_that_was_set_back_keeps_nothing_waiting(
    offers: Offers, make_taps: Callable[..., RawTaps]
) -> None:
    offers.types = {'/a': 'std_msgs/msg/String'}
    taps = make_taps('/a')
    taps.look()
    offers.queues['/a'] += [(b'1', info(1, b'a', NOW_NS))]
    assert [one.data for one in taps.poll(NOW_NS - 3600 * 10**9)] == [b'1']


@pytest.fixture
def node(domain_id: int) -> Iterator[Node]:
    context = Context()
    rclpy.init(context=context, domain_id=domain_id)
    node = rclpy.create_node('taps_test', context=context)
    yield node
    node.destroy_node()
    rclpy.shutdown(context=context)


@pytest.mark.ros
def test_real_messages_are_taken_without_spinning(node: Node) -> None:
    seen: list[str] = []
    taps = RawTaps(node, [topics.INSTRUCTION.name], {}, lambda name, *_: seen.append(name))
    topics.INSTRUCTION.publisher(node).publish(String(data='hello'))
    taken: list = []
    while not taken:
        taps.look()
        taken = taps.poll(2**62)
    assert seen == ['/magma/instruction']
    assert b'hello' in taken[0].data
    assert 0 < taken[0].published_ns <= taken[0].received_ns
    taps.close()
