"""Looks and decides: pictures, joint states and a sentence in, action chunks out.

A lifecycle node: configure loads the model, activate begins to look. Never moves anything.
"""

from __future__ import annotations

import sys

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from magma_ros.data_types import GuidedPath
from magma_ros.errors import ConfigurationError, MagmaError
from magma_ros.nodes.perception_setup import Loaded, PerceptionParameters, load
from magma_ros.nodes.prediction_worker import Condition, Prediction, PredictionWorker
from magma_ros.ros import topics
from magma_ros.ros.chunk_messages import ActionInfo, chunk_to_message, info_to_message
from magma_ros.ros.node_process import run_node
from magma_ros.ros.parameters import declare_parameters
from magma_ros.ros.status_messages import (
    ERROR,
    OK,
    WARN,
    diagnostics_message,
    heartbeat_message,
    status_message,
)
from magma_ros.ros.trace_messages import overlay_message, path_to_message, trace_to_message


class PerceptionNode(LifecycleNode):
    """See the table in ``ros/topics.py`` for its topics."""

    def __init__(self) -> None:
        super().__init__('perception_node', automatically_declare_parameters_from_overrides=True)
        self.set = declare_parameters(self, PerceptionParameters)
        self.fault = ''
        self._loaded: Loaded | None = None
        self._worker: PredictionWorker | None = None
        self._path: GuidedPath | None = None  # published last
        self._condition = Condition('not configured')
        self._state = topics.PERCEPTION_STATE.publisher(self)
        self._diagnostics = topics.DIAGNOSTICS.publisher(self)
        self._heartbeat = topics.heartbeat_topic(self.get_name()).publisher(self)
        self._chunks = topics.ACTION_CHUNK.publisher(self)
        self._infos = topics.ACTION_INFO.publisher(self)
        self._traces = topics.TRACE.publisher(self)
        self._paths = topics.TRACE_PATH.publisher(self)
        self._overlays = topics.OVERLAY.publisher(self)
        self.create_timer(0.1, self._on_tenth)
        self.create_timer(1.0, self._on_second)

    @property
    def has_failed(self) -> bool:
        """Whether the prediction thread has died."""
        return self._worker is not None and not self._worker.is_alive

    def close(self) -> None:
        """Stop looking."""
        if self._worker is not None:
            self._worker.stop()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model and connect the inputs."""
        try:
            self._loaded = load(self, self.set)
        except MagmaError as error:
            self.fault = str(error)
            self._report(Condition(self.fault, is_ok=False))
            self.get_logger().error(self.fault)
            return TransitionCallbackReturn.FAILURE
        self._report(Condition('configured'))
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to look."""
        loaded = self._loaded
        assert loaded is not None
        self._worker = PredictionWorker(
            loaded.model,
            loaded.statistics,
            self.set.mode,  # type: ignore[arg-type]
            loaded.profile.base_link,
            loaded.inputs,
            self.set.check_frozen,
            self._now_ns,
            self._publish,
            self._report,
        )
        self._worker.start()
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop looking."""
        self.close()
        self._worker = None
        self._report(Condition('configured'))
        return super().on_deactivate(state)

    # ------------------------------------------------------------------ in the worker's thread

    def _publish(self, prediction: Prediction) -> None:
        chunk, image = prediction.chunk, prediction.image
        assert self._loaded is not None
        info = ActionInfo(
            chunk.image_stamp_ns,
            chunk.sequence,
            chunk.source,
            chunk.reference,
            self._loaded.model.identity,
            prediction.started_ns,
            prediction.ended_ns,
        )
        self._infos.publish(info_to_message(info))
        self._chunks.publish(chunk_to_message(chunk))
        for trace in prediction.traces:
            self._traces.publish(trace_to_message(trace, image))
        if prediction.path is not None and prediction.path is not self._path:
            self._path = prediction.path
            path = path_to_message(prediction.path, image.stamp_ns, chunk.frame_id)
            self._paths.publish(path)
        if self._overlays.get_subscription_count():
            overlay = overlay_message(image, prediction.traces, prediction.executed_px)
            self._overlays.publish(overlay)

    def _report(self, condition: Condition) -> None:
        if condition != self._condition:
            self._condition = condition
            self._state.publish(self._describe())

    # ---------------------------------------------------------------- in the executor's thread

    def _on_tenth(self) -> None:
        if self._worker is not None and self._worker.is_alive:
            self._heartbeat.publish(heartbeat_message(self.get_name(), self._now_ns()))

    def _on_second(self) -> None:
        self._diagnostics.publish(diagnostics_message(self._describe(), self._now_ns()))

    def _describe(self) -> DiagnosticStatus:
        condition = self._condition
        level = OK if condition.is_ok else ERROR if condition.fault else WARN
        values = {'reason': condition.fault.name if condition.fault else '', 'mode': self.set.mode}
        if self._loaded is not None:
            identity = self._loaded.model.identity
            values.update({'model': identity.name, 'model_sha256': identity.sha256})
            if self._loaded.statistics is not None:
                values['statistics'] = self._loaded.statistics.key
        return status_message('perception', condition.text, values, level)

    def _now_ns(self) -> int:
        return self.get_clock().now().nanoseconds


def make_node() -> PerceptionNode:
    """The node, running already if ``autostart`` says so."""
    node = PerceptionNode()
    if node.set.autostart:
        if node.trigger_configure() is not TransitionCallbackReturn.SUCCESS:
            raise ConfigurationError(f'perception_node cannot start: {node.fault}')
        node.trigger_activate()
    return node


def main() -> int:
    """Run perception until SIGINT or SIGTERM."""
    return run_node(make_node)


if __name__ == '__main__':
    sys.exit(main())
