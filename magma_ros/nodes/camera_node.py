"""Publishes a source of pictures as a RealSense camera would: for machines without its driver."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node

from magma_ros.camera.frame_source import CLOSED, Condition, Frame, SourceState
from magma_ros.errors import MagmaError
from magma_ros.nodes.camera_sources import SOURCES, SourceChoice, is_live, make_source
from magma_ros.ros import topics
from magma_ros.ros.camera_messages import camera_to_message, depth_to_message, image_to_message
from magma_ros.ros.camera_topics import camera_topics
from magma_ros.ros.node_process import run_node
from magma_ros.ros.parameters import declare_parameters, parameter
from magma_ros.ros.status_messages import (
    ERROR,
    OK,
    WARN,
    diagnostics_message,
    heartbeat_message,
    status_message,
)

READ_S = 0.1  # a lost camera is reported this much later than it is noticed
STATE_PERIOD_S = 0.05
REMINDER_S = 1.0
FINE = (Condition.STREAMING, Condition.ENDED)


@dataclass(frozen=True)
class CameraParameters:
    """Which source, and how it is published."""

    source: str = parameter('realsense', SOURCES)
    camera_namespace: str = parameter('/camera/camera', 'of the topics')
    frame_id: str = parameter('camera_color_optical_frame', 'of the pictures')
    width: int = parameter(640, 'of the pictures of a camera', 'px', 16, 4096)
    height: int = parameter(480, 'of the pictures of a camera', 'px', 16, 4096)
    rate_hz: float = parameter(30.0, 'of a camera, or of the pictures in a folder', 'Hz', 0.1, 120)
    depth: bool = parameter(True, 'whether a camera gives aligned depth')
    lens_file: str = parameter('', 'camera_info of a video or folder; empty: a D435 is assumed')
    repeat: bool = parameter(False, 'files begin anew at their end')

    def choice(self) -> SourceChoice:
        """The source that is meant."""
        return SourceChoice(
            self.source,
            self.width,
            self.height,
            self.rate_hz,
            self.depth,
            self.lens_file,
            self.camera_namespace,
            self.frame_id,
        )


class CameraNode(Node):
    """A thread reads, another publishes how the source is."""

    def __init__(self) -> None:
        super().__init__('camera_node', automatically_declare_parameters_from_overrides=True)
        self._set = declare_parameters(self, CameraParameters)
        self._source = make_source(self._set.choice(), time.monotonic, time.time_ns)
        names = camera_topics(self._set.camera_namespace)
        self._outputs = {name: topic.publisher(self) for name, topic in names.items()}
        self._diagnostics = topics.DIAGNOSTICS.publisher(self)
        self._heartbeat = topics.heartbeat_topic(self.get_name()).publisher(self)
        self._published, self._told, self._told_s = 0, CLOSED, 0.0
        self._fault: MagmaError | None = None
        self._source.open()
        self.create_timer(0.1, self._on_tenth)
        self.create_timer(STATE_PERIOD_S, self._on_state)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name='camera', daemon=True)
        self._thread.start()

    @property
    def has_failed(self) -> bool:
        """Whether no picture will come any more because of a fault."""
        return self._fault is not None or not self._thread.is_alive()

    def close(self) -> None:
        """Stop reading."""
        self._stopped.set()
        self._thread.join()
        self._source.close()

    # ----------------------------------------------------------------------- in the own thread

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                self._read_through()
                if self._set.repeat and not self._stopped.is_set():
                    self._source.close()
                    self._source.open()
                else:
                    self._stopped.wait()  # a file that has ended stays ended
        except MagmaError as error:
            self._fault = error
            self.get_logger().error(str(error))

    def _read_through(self) -> None:
        """Publish until the node stops or the source ends. Files keep their own pace."""
        shift_ns: int | None = 0 if is_live(self._set.source) else None
        while not self._stopped.is_set():
            frame = self._source.read(READ_S)
            if frame is None:
                if self._source.state.condition is Condition.ENDED:
                    return
                continue
            if shift_ns is None:
                shift_ns = self._now_ns() - frame.image.stamp_ns
            stamp_ns = frame.image.stamp_ns + shift_ns
            early_s = (stamp_ns - self._now_ns()) * 1e-9
            if not is_live(self._set.source) and self._stopped.wait(max(0.0, early_s)):
                return
            self._publish(frame, stamp_ns)

    def _publish(self, frame: Frame, stamp_ns: int) -> None:
        frame_id = frame.image.frame_id
        colour: Any = image_to_message(frame.image)
        pictures = {'colour': colour}
        if frame.depth is not None:
            pictures['depth'] = depth_to_message(frame.depth, frame_id)
        info = camera_to_message(frame.camera, stamp_ns, frame_id)
        for name, picture in pictures.items():
            picture.header.stamp = info.header.stamp
            self._outputs[f'{name}_info'].publish(info)
            self._outputs[name].publish(picture)
        self._published += 1

    # ------------------------------------------------------------------ in the executor's thread

    def _now_ns(self) -> int:
        return self.get_clock().now().nanoseconds

    def _on_tenth(self) -> None:
        if not self.has_failed:
            self._heartbeat.publish(heartbeat_message(self.get_name(), self._now_ns()))

    def _on_state(self) -> None:
        """Changes at once, otherwise each second."""
        state, now_s = self._source.state, time.monotonic()
        has_changed = state.condition is not self._told.condition
        if has_changed:
            self._log(state)
        if has_changed or now_s - self._told_s >= REMINDER_S:
            self._told, self._told_s = state, now_s
            self._diagnostics.publish(diagnostics_message(self._describe(state), self._now_ns()))

    def _log(self, state: SourceState) -> None:
        text = f'{self._set.source}: {"; ".join((state.text, *state.warnings)).strip("; ")}'
        if state.condition in (*FINE, Condition.SETTLING):
            self.get_logger().info(f'{state.condition.value} {text}')
        else:
            self.get_logger().warning(f'{state.condition.value} {text}')

    def _describe(self, state: SourceState) -> Any:
        level = WARN if state.warnings or state.condition is Condition.SETTLING else OK
        if state.condition not in (*FINE, Condition.SETTLING):
            level = ERROR
        values = {
            'condition': state.condition.value,
            'source': self._set.source,
            'published': self._published,
        }
        text = '; '.join(filter(None, (state.text, *state.warnings))) or state.condition.value
        return status_message('camera', text, values, level)


def main() -> int:
    """Publish pictures until SIGINT or SIGTERM."""
    return run_node(CameraNode)


if __name__ == '__main__':
    sys.exit(main())
