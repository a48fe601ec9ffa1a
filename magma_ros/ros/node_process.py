"""One node as one process: starts it, spins it, ends it in order on SIGINT, SIGTERM, SIGHUP."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from typing import Protocol

import rclpy
from rclpy.context import Context
from rclpy.executors import Executor, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from magma_ros.errors import MagmaError

SPIN_S = 0.01  # also how long a signal may wait: half a tick


class ClosingNode(Protocol):
    """A node that leaves in order."""

    @property
    def has_failed(self) -> bool:
        """Whether a thread of the node has died; the process then ends."""

    def close(self) -> None:
        """Stop what the node started; its publishers still work."""


def run_node(make_node: Callable[[], Node]) -> int:
    """The main function of a node; the exit code is 0, 1 (died) or 2 (something to put right).

    Signals are handled here and not by rclpy, which would take the publishers away before the
    node could brake.
    """
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopped.set())
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = make_node()
    except MagmaError as error:
        sys.stderr.write(f'{error}\n')
        rclpy.shutdown()
        return 2
    # The first line of a process takes 30 ms, in which nothing is heard: not amid its work.
    node.get_logger().info('started')
    executor = make_executor()
    executor.add_node(node)
    try:
        # spin() of the wheel's EventsExecutor never calls anything; this serves every executor.
        while not stopped.is_set() and not node.has_failed:  # type: ignore[attr-defined]
            executor.spin_once(SPIN_S)
        return 1 if node.has_failed else 0  # type: ignore[attr-defined]
    except MagmaError as error:
        sys.stderr.write(f'{error}\n')
        return 2
    finally:  # an error in a callback must not skip the braking
        node.close()  # type: ignore[attr-defined]
        executor.shutdown()
        node.destroy_node()
        rclpy.shutdown()


def make_executor(context: Context | None = None) -> Executor:
    """The events executor where there is one: a third less work, and a punctual control loop."""
    try:
        from rclpy.experimental import EventsExecutor
    except ImportError:  # before Kilted
        return SingleThreadedExecutor(context=context)
    return EventsExecutor(context=context)
