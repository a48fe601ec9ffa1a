"""Watches an episode from outside: keeps the pictures with traces, records a bag on request."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import CompressedImage

from magma_ros.nodes.episode_bag import EpisodeBag
from magma_ros.ros import topics
from magma_ros.ros.process_environment import process_environment

SPIN_S = 0.05
# Subscribing takes effect a moment later; what is sent meanwhile is not seen.
DISCOVERY_S = 0.5


@dataclass(frozen=True)
class Frame:
    """A picture with the trace drawn in, and when it came on the monotonic clock."""

    time_s: float
    jpeg: bytes


class EpisodeWatch:
    """A node of its own with a thread that runs between :meth:`begin` and :meth:`end`.

    Args:
        domain_id: ROS domain; None keeps the inherited one.
        on_frame: called with each JPEG as it comes, in the watching thread.
    """

    def __init__(
        self, domain_id: int | None = None, on_frame: Callable[[bytes], None] = lambda jpeg: None
    ) -> None:
        os.environ.update(process_environment())  # read when the first node is made
        self._on_frame = on_frame
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain_id)
        self._node = rclpy.create_node('magma_watch', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        topics.OVERLAY.subscribe(self._node, self._take_overlay)
        self._frames: list[Frame] = []
        self._bag: EpisodeBag | None = None
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> EpisodeWatch:
        """For ``with``."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes."""
        self.close()

    def begin(self, bag: Path | None = None) -> None:
        """Watch; with ``bag`` also record into this new folder.

        Raises:
            RecordingError: the folder exists.
        """
        if bag is not None:
            self._bag = EpisodeBag(self._node, bag)
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, name='watch', daemon=True)
        self._thread.start()
        time.sleep(DISCOVERY_S)
        self._frames = []  # what came until now is of the episode before

    def end(self) -> list[Frame]:
        """Stop watching, close the bag; what was seen since :meth:`begin`."""
        if self._thread is not None:
            self._stopped.set()
            self._thread.join()
            self._thread = None
        if self._bag is not None:
            self._bag.close()
            self._bag = None
        return self._frames

    def close(self) -> None:
        """End, and leave the domain."""
        self.end()
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._executor.spin_once(SPIN_S)
            if self._bag is not None:
                self._bag.record()

    def _take_overlay(self, message: CompressedImage) -> None:
        jpeg = bytes(message.data)
        self._frames.append(Frame(time.monotonic(), jpeg))
        self._on_frame(jpeg)
