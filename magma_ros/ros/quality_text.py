"""Quality of service as rosbag2's metadata version 8 wants it."""

from __future__ import annotations

from rclpy.qos import HistoryPolicy, QoSProfile

FOREVER = '{sec: 9223372036, nsec: 854775807}'  # RMW_DURATION_INFINITE


def quality_text(qos: QoSProfile) -> str:
    """A list of one profile as YAML; numbers are those of rmw.

    What the graph does not tell (Fast DDS: history and depth) is written as keep last, 10.
    """
    is_known = qos.depth > 0 or qos.history is HistoryPolicy.KEEP_ALL
    values = {
        'history': int(qos.history if is_known else HistoryPolicy.KEEP_LAST),
        'depth': qos.depth if is_known else 10,
        'reliability': int(qos.reliability),
        'durability': int(qos.durability),
        'deadline': FOREVER,
        'lifespan': FOREVER,
        'liveliness': int(qos.liveliness),
        'liveliness_lease_duration': FOREVER,
        'avoid_ros_namespace_conventions': 'false',
    }
    lines = [f'{key}: {value}' for key, value in values.items()]
    return '- ' + '\n  '.join(lines) + '\n'
