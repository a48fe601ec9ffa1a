"""Takes serialised messages of many topics from the middleware: no executor, no decoding.

An executor of rclpy costs more for each message than everything else a recorder does, and the
events executor gives no arrival times (Kilted: ``SystemError`` for callbacks with message info).
So these subscriptions belong to a node that no executor spins, and :meth:`RawTaps.poll` asks each
for what has come, with the middleware's own times of sending and arrival.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription

from magma_ros.errors import EnvironmentMissing
from magma_ros.ros.message_definitions import type_name
from magma_ros.ros.optional_modules import load_interface
from magma_ros.ros.topic_kinds import Topic

SMALL_QUEUE = 2500  # messages: five seconds of the fastest joint states
PICTURE_QUEUE = 150  # five seconds of a camera
EARLY_NS = 1_000_000_000  # what is later than that is not early: the clock was set back
PICTURES = ('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage')


@dataclass(frozen=True)
class Taken:
    """A serialised message; times of the system clock, ``lost``: never came before it."""

    topic: str
    data: bytes
    received_ns: int
    published_ns: int
    lost: int


@dataclass
class _Tap:
    kind: type
    subscription: Subscription
    is_reliable: bool
    numbers: dict[bytes, int] = field(default_factory=dict)  # newest, by publisher


class RawTaps:
    """Subscribes to whatever of the wanted topics has a publisher, with the QoS it offers.

    Args:
        node: whose remappings and context are used.
        wanted: names before remapping.
        known: our own topics by name: their QoS is written into the bag as we offer it.
        on_topic: called with name, class and offered QoS before the first message of a topic.
    """

    def __init__(
        self,
        node: Node,
        wanted: Iterable[str],
        known: Mapping[str, Topic],
        on_topic: Callable[[str, type, QoSProfile], None],
    ) -> None:
        # Fast DDS does not tell the depth of others; rclpy warns of that at each look.
        warnings.filterwarnings('ignore', 'A zero depth with KEEP_LAST', UserWarning)
        self._names = {node.resolve_topic_name(name): name for name in wanted}
        self._known, self._on_topic = known, on_topic
        self._node = Node(
            f'{node.get_name()}_taps',
            context=node.context,
            use_global_arguments=False,  # its topics are remapped already, its name must not be
            enable_rosout=False,
            start_parameter_services=False,
        )
        self._taps: dict[str, _Tap] = {}
        self._early: list[Taken] = []  # came while the topics before theirs were asked
        self.unreadable: dict[str, str] = {}  # why a topic cannot be recorded

    @property
    def topics(self) -> list[str]:
        """Names of what is being recorded."""
        return sorted(self._taps)

    def look(self) -> None:
        """Find new publishers; call it every second or so."""
        for name, ours in self._names.items():
            offers = self._node.get_publishers_info_by_topic(name)
            if not offers:
                continue
            qos = [offer.qos_profile for offer in offers]
            is_reliable = all(q.reliability is ReliabilityPolicy.RELIABLE for q in qos)
            tap = self._taps.get(name)
            if tap is None:
                self._add(name, ours, offers[0].topic_type, qos[0], is_reliable)
            elif tap.is_reliable and not is_reliable:  # would not hear the new publisher
                self._node.destroy_subscription(tap.subscription)
                self._taps[name] = self._tap(name, tap.kind, qos[0], is_reliable)

    def poll(self, now_ns: int) -> list[Taken]:
        """What has arrived until ``now_ns`` (system clock), in the order of arrival."""
        taken, self._early = self._early, []
        for name, tap in self._taps.items():
            subscription: Any = tap.subscription.handle
            with subscription:  # not to be destroyed meanwhile
                while (one := subscription.take_message(tap.kind, True)) is not None:
                    data, info = one
                    taken.append(_describe(name, tap, data, info, now_ns))
        taken.sort(key=lambda one: one.received_ns)
        while taken and now_ns < taken[-1].received_ns < now_ns + EARLY_NS:
            self._early.insert(0, taken.pop())
        return taken

    def close(self) -> None:
        """No more messages."""
        self._taps.clear()
        self._node.destroy_node()

    def _add(
        self, name: str, ours: str, interface: str, offered: QoSProfile, is_reliable: bool
    ) -> None:
        if name in self.unreadable:
            return
        topic = self._known.get(ours)
        try:
            kind = load_interface(interface)
            self._on_topic(name, kind, topic.offered if topic is not None else offered)
        except EnvironmentMissing as error:
            self.unreadable[name] = f'{name} ({interface}) cannot be recorded: {error}'
            return
        self._taps[name] = self._tap(name, kind, offered, is_reliable)

    def _tap(self, name: str, kind: type, offered: QoSProfile, is_reliable: bool) -> _Tap:
        is_latched = offered.durability is DurabilityPolicy.TRANSIENT_LOCAL
        is_picture = type_name(kind) in PICTURES
        profile = QoSProfile(
            depth=PICTURE_QUEUE if is_picture else SMALL_QUEUE,
            reliability=(
                ReliabilityPolicy.RELIABLE if is_reliable else ReliabilityPolicy.BEST_EFFORT
            ),
            durability=(
                DurabilityPolicy.TRANSIENT_LOCAL if is_latched else DurabilityPolicy.VOLATILE
            ),
        )
        subscription = self._node.create_subscription(kind, name, _ignore, profile, raw=True)
        return _Tap(kind, subscription, is_reliable)


def _describe(name: str, tap: _Tap, data: bytes, info: Mapping[str, Any], now_ns: int) -> Taken:
    """With the times as far as the middleware knows them; Humble does not number messages."""
    received_ns = info.get('received_timestamp') or now_ns
    published_ns = info.get('source_timestamp') or received_ns
    number, publisher = info.get('publication_sequence_number'), info.get('publisher_gid')
    lost = 0
    if number is not None and publisher is not None:
        before = tap.numbers.get(publisher['data'], number - 1)
        lost = max(0, number - before - 1)
        tap.numbers[publisher['data']] = number
    return Taken(name, data, received_ns, published_ns, lost)


def _ignore(message: bytes) -> None:
    """Never called: nothing spins the node."""
