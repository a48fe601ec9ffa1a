"""Topics of a camera as realsense2_camera names them; ros/topics.py has them in its table."""

from __future__ import annotations

from sensor_msgs.msg import CameraInfo, Image

from magma_ros.ros.topic_kinds import NEWEST, Topic, make_topic


def camera_topics(namespace: str = '/camera/camera') -> dict[str, Topic]:
    """The four topics of a RealSense-like camera: ``colour``, ``colour_info``, ``depth``, ..."""
    depth = f'{namespace}/aligned_depth_to_color'
    return {
        'colour': make_topic(
            f'{namespace}/color/image_raw', Image, NEWEST, 'camera', 'perception', 'rgb8 or bgr8'
        ),
        'colour_info': make_topic(
            f'{namespace}/color/camera_info', CameraInfo, NEWEST, 'camera', 'perception', 'lens'
        ),
        'depth': make_topic(
            f'{depth}/image_raw', Image, NEWEST, 'camera', 'perception', 'aligned, 16UC1 mm'
        ),
        'depth_info': make_topic(
            f'{depth}/camera_info', CameraInfo, NEWEST, 'camera', 'perception', 'lens'
        ),
    }
