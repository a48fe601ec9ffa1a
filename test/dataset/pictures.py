"""Serialised pictures for the tests of this folder, as the rosbags package writes them."""

from __future__ import annotations

import numpy as np
import pytest

typesys = pytest.importorskip('rosbags.typesys')
STORE = typesys.get_typestore(typesys.Stores.ROS2_HUMBLE)


def image(
    pixels: np.ndarray,
    encoding: str,
    padding: int = 0,
    frame: str = 'camera',
    stamp_ns: int = 12_000_000_034,
) -> bytes:
    """A serialised sensor_msgs/Image, its rows followed by some bytes of nothing."""
    types = STORE.types
    stamp = types['builtin_interfaces/msg/Time'](
        sec=stamp_ns // 1_000_000_000, nanosec=stamp_ns % 1_000_000_000
    )
    rows = np.ascontiguousarray(pixels).view(np.uint8).reshape(len(pixels), -1)
    rows = np.pad(rows, ((0, 0), (0, padding)))
    message = types['sensor_msgs/msg/Image'](
        header=types['std_msgs/msg/Header'](stamp=stamp, frame_id=frame),
        height=len(pixels),
        width=pixels.shape[1],
        encoding=encoding,
        is_bigendian=0,
        step=rows.shape[1],
        data=rows.reshape(-1),
    )
    return bytes(STORE.serialize_cdr(message, 'sensor_msgs/msg/Image'))
