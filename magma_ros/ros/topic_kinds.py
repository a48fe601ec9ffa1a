"""What a topic and a service are, and the qualities of service there are; the names: topics.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription

from magma_ros.ros.optional_modules import load_interface

# Sensors: the newest matters, a lost one does not. Matches reliable publishers too.
NEWEST = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
ENCODERS = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
DRIVER = QoSProfile(depth=5)  # what sensor drivers offer (REP-2003): reliable, so that all match
COMMANDS = QoSProfile(depth=10)
# State that a late subscriber must know at once.
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
LATCHED_TRANSFORMS = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)


@dataclass(frozen=True)
class Topic:
    """A topic: ``offered`` is the QoS of its publishers, ``wanted`` that of its subscribers.

    ``interface`` is a class, or the name of one that not every distribution has.
    """

    name: str
    interface: type | str
    offered: QoSProfile
    wanted: QoSProfile
    publishers: str
    subscribers: str
    meaning: str

    @property
    def kind(self) -> Any:
        """The class of its messages; EnvironmentMissing where that is not installed."""
        return load_interface(self.interface)

    def publisher(self, node: Node) -> Publisher:
        """A publisher of this topic."""
        return node.create_publisher(self.kind, self.name, self.offered)

    def subscribe(self, node: Node, callback: Callable[[Any], None]) -> Subscription:
        """A subscription of this topic."""
        return node.create_subscription(self.kind, self.name, callback, self.wanted)


@dataclass(frozen=True)
class Service:
    """A service, or (``is_action``) an action; ``interface`` as of a topic."""

    name: str
    interface: type | str
    server: str
    meaning: str
    is_action: bool = False

    @property
    def kind(self) -> Any:
        """Its class; EnvironmentMissing where that is not installed."""
        return load_interface(self.interface)


def make_topic(
    name: str,
    interface: type | str,
    qos: QoSProfile,
    publishers: str,
    subscribers: str,
    meaning: str,
) -> Topic:
    """A topic; publishers of sensor data offer more than its subscribers want."""
    offered = DRIVER if qos in (NEWEST, ENCODERS) else qos
    return Topic(name, interface, offered, qos, publishers, subscribers, meaning)
