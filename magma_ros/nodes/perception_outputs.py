"""What perception publishes because of a picture."""

from __future__ import annotations

from rclpy.node import Node

from magma_ros.data_types import CameraImage, GuidedPath
from magma_ros.model.action_model import ModelIdentity
from magma_ros.nodes.prediction_loop import Prediction
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
        self._path: GuidedPath | None = None  # published last

    def publish(self, prediction: Prediction, model: ModelIdentity) -> None:
        """The chunk first, what people look at after it."""
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
            overlay = overlay_message(image, prediction.traces, prediction.executed_px)
            self._overlays.publish(overlay)

    def show_ghost(self, image: CameraImage) -> None:
        """The picture under a ghost of the reference picture."""
        if self._ghosts.get_subscription_count():
            self._ghosts.publish(overlay_message(image, []))
