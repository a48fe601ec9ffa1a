"""A recorded picture message -> RGB, exactly as perception gets it from the live one."""

from __future__ import annotations

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from magma_ros.data_types import CameraImage
from magma_ros.dataset.image_compression import COMPRESSED_IMAGE, IMAGE
from magma_ros.dataset.reading.ros_decoding import decode, header_stamp_ns
from magma_ros.dataset.reading.stream_message import StreamMessage
from magma_ros.errors import CameraError, RecordingError
from magma_ros.image.pixel_rows import rgb_from_bytes

LARGEST_PX = 50_000_000
FORMATS = ('JPEG', 'PNG')


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
            rgb = decompress_picture(content.data)
        else:
            rgb = rgb_from_bytes(
                content.data, content.width, content.height, content.step, content.encoding, frame
            )
    except CameraError as error:
        raise RecordingError(f'{message.where}: {message.topic}: {error}') from error
    return CameraImage(rgb, header_stamp_ns(message), frame)


def decompress_picture(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """JPEG or PNG bytes -> (height, width, 3) RGB. The size is looked at before anything is done.

    Raises:
        CameraError: neither, too large, or damaged.
    """
    try:
        with Image.open(io.BytesIO(data.tobytes()), formats=FORMATS) as picture:
            width, height = picture.size
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError) as error:
        raise CameraError(f'no JPEG or PNG ({error!r:.80})') from error
    if not 0 < width * height <= LARGEST_PX:
        raise CameraError(f'{width} x {height} pixels; at most {LARGEST_PX} are read')
    try:
        bgr = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise CameraError(f'a picture that cannot be decoded ({error.err})') from error
    if bgr is None:
        raise CameraError('a picture that cannot be decoded')
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
