"""What perception publishes because of a picture."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rclpy.node import Node
from std_msgs.msg import String

from magma_ros.data_types import CameraImage, GuidedPath, PixelTrace
from magma_ros.model.action_model import ModelIdentity
from magma_ros.nodes.prediction_loop import Prediction
from magma_ros.nodes.question_desk import SpokenAnswer, answer_fields
from magma_ros.nodes.trace_watch import LiveTrace
from magma_ros.ros import topics
from magma_ros.ros.chunk_messages import ActionInfo, chunk_to_message, info_to_message
from magma_ros.ros.trace_messages import overlay_message, path_to_message, trace_to_message


class PerceptionOutputs:
    """Everything carries the stamp of its picture. Callable from any thread."""

    def __init__(self, node: Node) -> None:
        self._chunks = topics.ACTION_CHUNK.publisher(node)
        self._infos = topics.ACTION_INFO.publisher(node)
        self._traces = topics.TRACE.publisher(node)
        self._paths = topics.TRACE_PATH.publisher(node)
        self._overlays = topics.OVERLAY.publisher(node)
        self._ghosts = topics.REFERENCE_OVERLAY.publisher(node)
        self._answers = topics.ANSWER.publisher(node)
        self._path: GuidedPath | None = None  # published last

    def publish(
        self,
        prediction: Prediction,
        model: ModelIdentity,
        live_traces: Sequence[PixelTrace] = (),
        status: str = '',
    ) -> None:
        """The chunk first, what people look at after it.

        ``live_traces`` were drawn on an earlier picture; they and ``status`` are in the overlay.
        """
        chunk, image = prediction.chunk, prediction.image
        info = ActionInfo(
            chunk.image_stamp_ns,
            chunk.sequence,
            chunk.source,
            chunk.reference,
            model,
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
            traces = [*prediction.traces, *live_traces]
            overlay = overlay_message(image, traces, prediction.executed_px, status)
            self._overlays.publish(overlay)

    def show_trace(self, trace: LiveTrace, frame_id: str) -> None:
        """A line for each mark, and the path in the base frame."""
        image = trace.seen.image
        for one in trace.traces:
            self._traces.publish(trace_to_message(one, image))
        if trace.path is not None:
            self._paths.publish(path_to_message(trace.path, image.stamp_ns, frame_id))

    def answer(self, answer: SpokenAnswer) -> None:
        """With its question."""
        self._answers.publish(String(data=json.dumps(answer_fields(answer))))

    def show_ghost(self, image: CameraImage) -> None:
        """The picture under a ghost of the reference picture."""
        if self._ghosts.get_subscription_count():
            self._ghosts.publish(overlay_message(image, []))
