"""Listens to a running ROS graph for a while: which topics there are, how fast, how old."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from magma_ros.ros import topics
from magma_ros.ros.time_stamps import stamp_to_ns
from magma_ros.ros.topic_kinds import Topic

DISCOVERY_S = 1.0


@dataclass
class TopicReport:
    """What was heard of one topic."""

    name: str
    publishers: int
    count: int = 0
    rate_hz: float = 0.0
    ages_s: list[float] = field(default_factory=list)  # arrival minus stamp, where it has one

    @property
    def age_s(self) -> float | None:
        """Median age at arrival; below 0: its clock is ahead of ours."""
        return float(np.median(self.ages_s)) if self.ages_s else None


def watched_topics(joint_states: str) -> tuple[Topic, ...]:
    """What says most about a running system."""
    camera = topics.camera_topics()
    joints = topics.JOINT_STATES
    arm = Topic(joint_states, joints.interface, *(joints.offered, joints.wanted), '', '', '')
    return (camera['colour'], camera['colour_info'], camera['depth'], arm)


def survey_graph(
    duration_s: float, joint_states: str, now_ns: Callable[[], int] = time.time_ns
) -> tuple[set[str], list[TopicReport]]:
    """Names of the nodes that run, and what the watched topics carry.

    Args:
        duration_s: of listening, after DISCOVERY_S; nothing is listened to without any node.
        joint_states: topic of the arm.
        now_ns: the clock stamps are compared with.
    """
    context = Context()
    rclpy.init(context=context)
    node = rclpy.create_node('magma_doctor', context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    try:
        _spin(executor, DISCOVERY_S)
        nodes = {name for name in node.get_node_names() if name != 'magma_doctor'}
        if not nodes:
            return set(), []
        reports = [_listen(node, topic, now_ns) for topic in watched_topics(joint_states)]
        _spin(executor, duration_s)
        for report in reports:
            report.publishers = node.count_publishers(report.name)
            report.rate_hz = report.count / duration_s
        return nodes, reports
    finally:
        executor.shutdown()
        node.destroy_node()
        rclpy.shutdown(context=context)


def _listen(node: Node, topic: Topic, now_ns: Callable[[], int]) -> TopicReport:
    report = TopicReport(topic.name, 0)

    def on_message(message: object) -> None:
        report.count += 1
        stamp_ns = stamp_to_ns(message.header.stamp)  # type: ignore[attr-defined]
        report.ages_s.append((now_ns() - stamp_ns) * 1e-9)

    topic.subscribe(node, on_message)
    return report


def _spin(executor: SingleThreadedExecutor, duration_s: float) -> None:
    end_s = time.monotonic() + duration_s
    while (left_s := end_s - time.monotonic()) > 0:
        executor.spin_once(left_s)
