"""The camera of a recorded episode as a source of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from tf2_msgs.msg import TFMessage

from magma_ros.camera.frame_source import (
    CLOSED,
    ENDED,
    STREAMING,
    Frame,
    SourceState,
    require_open,
)
from magma_ros.camera.lens import UNKNOWN_POSE
from magma_ros.data_types import CameraImage, DepthImage, Pose
from magma_ros.dataset.bag_reader import bag_files, read_messages, report_file
from magma_ros.errors import CameraError
from magma_ros.ros.camera_messages import (
    camera_from_message,
    depth_from_message,
    image_from_compressed,
    image_from_message,
)
from magma_ros.ros.camera_topics import camera_topics, compressed_colour_topic
from magma_ros.ros.static_transforms import StaticTransforms

DEPTH_OFF_NS = 250_000_000  # depth may be this much older than its picture


class BagCameraSource:
    """See ``CameraSource``. Stamps are those of the recorded messages.

    Raw pictures are read, or compressed ones where the bag has no raw ones; depth is read raw.

    Args:
        path: folder of a bag, or its MCAP file.
        namespace: of the recorded camera.
        base_frame: the pose of the camera is looked up in the recorded /tf_static; where that
            does not lead from this frame to the camera, the pose stays unknown.
    """

    def __init__(
        self, path: Path, namespace: str = '/camera/camera', base_frame: str = 'wx250s/base_link'
    ) -> None:
        self._path, self._base_frame = path, base_frame
        topics = camera_topics(namespace)
        self._colour, self._info = topics['colour'].name, topics['colour_info'].name
        self._depth = topics['depth'].name
        self._compressed = compressed_colour_topic(namespace).name
        self._frames: Iterator[Frame] = iter(())
        self._is_compressed = False
        self.state: SourceState = CLOSED

    def __len__(self) -> int:
        """How many pictures the bag holds."""
        counts = self._counts()
        return counts.get(self._colour) or counts.get(self._compressed, 0)

    def open(self) -> None:
        """Look for the camera's topics.

        Raises:
            RecordingError: there is no bag, or it is damaged.
            CameraError: the bag lacks pictures or camera_info.
        """
        counts = self._counts()
        self._is_compressed = not counts.get(self._colour)
        colour = self._compressed if self._is_compressed else self._colour
        missing = [name for name in (colour, self._info) if not counts.get(name)]
        if missing:
            there = ', '.join(sorted(name for name in counts if 'image' in name)) or 'no pictures'
            raise CameraError(
                f'{self._path} has no messages of {", ".join(missing)}. There is: {there}; name '
                'the namespace of its camera'
            )
        self._frames = self._read_frames()
        self.state = STREAMING

    def read(self, timeout_s: float) -> Frame | None:
        """The next picture, without waiting."""
        require_open(self.state)
        frame = next(self._frames, None)
        if frame is None:
            self.state = ENDED
        return frame

    def close(self) -> None:
        """Let go of the file."""
        self._frames = iter(())
        self.state = CLOSED

    def _counts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for file in bag_files(self._path):
            summary = report_file(file).summary
            for number, channel in summary.channels.items():
                counts[channel.topic] = counts.get(channel.topic, 0) + summary.counts[number]
        return counts

    def _read_frames(self) -> Iterator[Frame]:
        """A picture is given when the next one comes: its depth is recorded after it."""
        transforms = StaticTransforms()
        info: CameraInfo | None = None
        image: CameraImage | None = None
        depth: DepthImage | None = None
        last_ns = -1
        for message in read_messages(self._path):
            if message.topic == '/tf_static':
                transforms.add(deserialize_message(message.data, TFMessage))
            elif message.topic == self._info:
                info = deserialize_message(message.data, CameraInfo)
            elif message.topic == self._depth:
                depth = depth_from_message(deserialize_message(message.data, Image))
            elif message.topic == (self._compressed if self._is_compressed else self._colour):
                if image is not None and info is not None:
                    yield self._frame(image, depth, info, transforms)
                    last_ns = image.stamp_ns
                newest = self._read_image(message.data)
                image = newest if newest.stamp_ns > last_ns else None
        if image is not None and info is not None:
            yield self._frame(image, depth, info, transforms)

    def _read_image(self, data: bytes) -> CameraImage:
        if self._is_compressed:
            return image_from_compressed(deserialize_message(data, CompressedImage))
        return image_from_message(deserialize_message(data, Image))

    def _frame(
        self,
        image: CameraImage,
        depth: DepthImage | None,
        info: CameraInfo,
        transforms: StaticTransforms,
    ) -> Frame:
        camera = camera_from_message(info, self._pose(transforms, image.frame_id))
        height, width, _ = image.rgb.shape
        if (camera.width_px, camera.height_px) != (width, height):
            raise CameraError(
                f'{self._path}: pictures are {width} x {height}, their camera_info says '
                f'{camera.width_px} x {camera.height_px}: record the camera_info of this camera'
            )
        is_near = depth is not None and abs(depth.stamp_ns - image.stamp_ns) <= DEPTH_OFF_NS
        return Frame(image, depth if is_near else None, camera)

    def _pose(self, transforms: StaticTransforms, frame_id: str) -> Pose:
        try:
            return transforms.pose(frame_id, self._base_frame)
        except (
            CameraError
        ):  # recorded without its calibration; the pictures are there all the same
            return UNKNOWN_POSE
