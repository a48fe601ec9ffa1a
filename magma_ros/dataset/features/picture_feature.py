"""A recorded picture message -> RGB, exactly as perception gets it from the live one."""

from __future__ import annotations

from magma_ros.data_types import CameraImage
from magma_ros.dataset.image_compression import COMPRESSED_IMAGE, IMAGE
from magma_ros.dataset.reading.ros_decoding import decode, header_stamp_ns
from magma_ros.dataset.reading.stream_message import StreamMessage
from magma_ros.errors import CameraError, RecordingError
from magma_ros.image.compressed_picture import rgb_from_compressed
from magma_ros.image.pixel_rows import rgb_from_bytes


def read_picture_message(message: StreamMessage) -> CameraImage:
    """The picture of an Image or a CompressedImage (JPEG or PNG).

    Raises:
        RecordingError: another type, or damaged; names file and byte.
    """
    if message.type_name not in (IMAGE, COMPRESSED_IMAGE):
        raise RecordingError(
            f'{message.where}: {message.topic} has the type {message.type_name[:80]!r}; pictures '
            f'are {IMAGE} or {COMPRESSED_IMAGE}: correct the mapping'
        )
    content = decode(message)
    frame = content.header.frame_id
    try:
        if message.type_name == COMPRESSED_IMAGE:
            rgb = rgb_from_compressed(content.data, frame)
        else:
            rgb = rgb_from_bytes(
                content.data, content.width, content.height, content.step, content.encoding, frame
            )
    except CameraError as error:
        raise RecordingError(f'{message.where}: {message.topic}: {error}') from error
    return CameraImage(rgb, header_stamp_ns(message), frame)
