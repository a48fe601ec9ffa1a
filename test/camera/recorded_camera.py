"""A bag of a camera: numbered pictures at 4 Hz, depth with every second one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numbered_pictures import numbered_picture
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage
from tf2_msgs.msg import TFMessage

from magma_ros.camera.lens import assume_lens
from magma_ros.data_types import CameraImage, DepthImage, Pose
from magma_ros.dataset.episode_writer import EpisodeWriter
from magma_ros.dataset.recorded_topic import Arrival
from magma_ros.nodes.described_topics import describe_topic
from magma_ros.ros import topics
from magma_ros.ros.arm_messages import transform_to_message
from magma_ros.ros.camera_messages import camera_to_message, depth_to_message, image_to_message
from magma_ros.ros.camera_topics import camera_topics, compressed_colour_topic

START_NS = 1_700_000_000_000_000_000
FRAME = 'camera_color_optical_frame'
POSE = Pose(np.array([0.1, 0.2, 0.3]), np.array([0.0, 0.0, 0.0, 1.0]))


def picture(index: int, at_ns: int, compressed: bool) -> Any:
    rgb = numbered_picture(index)
    raw = image_to_message(CameraImage(rgb, at_ns, FRAME))
    if not compressed:
        return raw
    _, jpeg = cv2.imencode('.jpg', rgb[..., ::-1])
    return CompressedImage(header=raw.header, format='jpeg', data=jpeg.tobytes())


def write_camera_bag(
    folder: Path, count: int, left_out: tuple[str, ...] = (), compressed: bool = False
) -> Path:
    """``left_out``: keys of ``camera_topics``; ``compressed``: colour as JPEG."""
    camera = {key: one for key, one in camera_topics().items() if key not in left_out}
    if compressed:
        camera['colour'] = compressed_colour_topic()
    tf = topics.STATIC_TRANSFORMS
    model = assume_lens(64, 48).camera_model()
    with EpisodeWriter(folder) as writer:
        for topic in (*camera.values(), tf):
            writer.add_topic(describe_topic(topic.name, topic.kind, topic.offered))

        def write(name: str, message: object, at_ns: int) -> None:
            writer.write(Arrival(name, serialize_message(message), at_ns, at_ns))

        pose = transform_to_message(POSE, 'wx250s/base_link', FRAME, START_NS)
        write(tf.name, TFMessage(transforms=[pose]), START_NS)
        for index in range(count):
            at_ns = START_NS + index * 250_000_000
            messages = {
                'colour_info': camera_to_message(model, at_ns, FRAME),
                'colour': picture(index, at_ns, compressed),
            }
            if index % 2 == 0:
                depth = DepthImage(np.full((48, 64), 0.5, np.float32), at_ns)
                messages['depth'] = depth_to_message(depth, FRAME)
            for key, message in messages.items():
                if key in camera:
                    write(camera[key].name, message, at_ns)
    return folder
