"""Topics of a camera as realsense2_camera names them; ros/topics.py has them in its table."""

from __future__ import annotations

from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from magma_ros.ros.topic_kinds import NEWEST, Topic, make_topic


def camera_topics(namespace: str = '/camera/camera') -> dict[str, Topic]:
    """The four topics of a RealSense-like camera: ``colour``, ``colour_info``, ``depth``, ..."""
    depth = f'{namespace}/aligned_depth_to_color'
    return {
        'colour': make_topic(
            f'{namespace}/color/image_raw',
            Image,
            NEWEST,
            'camera',
            'perception',
            '8-bit RGB in any usual order',
        ),
        'colour_info': make_topic(
            f'{namespace}/color/camera_info', CameraInfo, NEWEST, 'camera', 'perception', 'lens'
        ),
        'depth': make_topic(
            f'{depth}/image_raw',
            Image,
            NEWEST,
            'camera',
            'perception',
            'aligned, 16UC1 mm or 32FC1 m',
        ),
        'depth_info': make_topic(
            f'{depth}/camera_info', CameraInfo, NEWEST, 'camera', 'perception', 'lens'
        ),
    }


def compressed_colour_topic(namespace: str = '/camera/camera') -> Topic:
    """What compressed_image_transport makes of ``colour``; nodes of ours only read it."""
    return make_topic(
        f'{namespace}/color/image_raw/compressed',
        CompressedImage,
        NEWEST,
        'camera',
        'perception',
        'JPEG or PNG, with the parameter compressed',
    )
