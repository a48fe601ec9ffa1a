"""Topics between perception and people; ros/topics.py has them in its table."""

from __future__ import annotations

from geometry_msgs.msg import PointStamped
from nav_msgs.msg import Path
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import String
from visualization_msgs.msg import ImageMarker

from magma_ros.ros.topic_kinds import COMMANDS, LATCHED, NEWEST, make_topic

TRACE = make_topic(
    '/magma/trace',
    ImageMarker,
    COMMANDS,
    'perception',
    'viewers',
    'where a mark will move, pixels of the picture; id is the mark',
)
TRACE_PATH = make_topic(
    '/magma/trace_path', Path, LATCHED, 'perception', 'viewers', 'the trace in the base frame'
)
OVERLAY = make_topic(
    '/magma/overlay/compressed',
    CompressedImage,
    NEWEST,
    'perception',
    'viewers',
    'the picture with the traces drawn into it, JPEG',
)
REFERENCE_OVERLAY = make_topic(
    '/magma/reference_overlay/compressed',
    CompressedImage,
    NEWEST,
    'perception',
    'viewers',
    'the picture under a ghost of the reference picture, JPEG; every reference_period_s',
)
CLICKED_POINT = make_topic(
    '/magma/clicked_point',
    PointStamped,
    COMMANDS,
    'operator',
    'perception',
    'x and y in pixels of the picture, frame of the camera: a mark; below 0: forget all',
)
QUESTION = make_topic(
    '/magma/question',
    String,
    COMMANDS,
    'operator',
    'perception',
    'about the newest picture; "which mark is ...": about numbers drawn into it',
)
ANSWER = make_topic(
    '/magma/answer',
    String,
    COMMANDS,
    'perception',
    'operator',
    'JSON: question, answer or error, stamp of the picture, mark and its place',
)
