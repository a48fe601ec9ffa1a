"""Between a node and its model worker: bounded messages over a socket pair, one shared picture.

A message is one packet of JSON (SOCK_SEQPACKET keeps packets whole), and the death of the other
side is an end of file, seen at once. The picture lies in memory without a name (``memfd``), which
the kernel takes back whoever dies; whoever has no request in flight may write it.
"""

from __future__ import annotations

import json
import mmap
import os
import select
import socket
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from magma_ros.errors import CameraError

MESSAGE_BYTES = 1 << 17  # below the 208 KiB that Linux lets a packet have by default
PICTURE_BYTES = 1 << 25  # 3840 x 2160 are 25 million; pages never written cost nothing


class Channel:
    """One end of the socket pair. One thread receives; senders take turns themselves."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    @staticmethod
    def pair() -> tuple[Channel, Channel]:
        """Both ends."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return Channel(ours), Channel(theirs)

    @staticmethod
    def of_descriptor(descriptor: int) -> Channel:
        """The end that was handed to a process."""
        return Channel(socket.socket(fileno=descriptor))

    @property
    def descriptor(self) -> int:
        """To hand it to a process."""
        return self._end.fileno()

    def send(self, message: Mapping[str, Any]) -> None:
        """One message.

        Raises:
            ValueError: it is too long, or holds what JSON does not know.
            OSError: the other side has gone.
        """
        packet = json.dumps(message).encode()
        if len(packet) > MESSAGE_BYTES:
            raise ValueError(f'a message of {len(packet)} bytes; at most {MESSAGE_BYTES} may be')
        self._end.send(packet)

    def receive(self, timeout_s: float | None = None) -> dict[str, Any] | None:
        """The next message; None when the other side has gone.

        Raises:
            TimeoutError: none came in time.
            ValueError: it is no JSON object, which a packet beyond MESSAGE_BYTES, cut, is not.
        """
        if not select.select([self._end], [], [], timeout_s)[0]:
            raise TimeoutError
        try:
            packet = self._end.recv(MESSAGE_BYTES)
        except ConnectionResetError:  # it died with our last message unread
            return None
        if not packet:
            return None
        message = json.loads(packet)
        if not isinstance(message, dict):
            raise ValueError(f'a message is a JSON object, not {packet[:40]!r}')
        return message

    def close(self) -> None:
        """Say no more; the other side sees an end of file."""
        self._end.close()


class SharedPicture:
    """Room for one RGB picture that two processes see."""

    def __init__(self, descriptor: int) -> None:
        """The memory behind a descriptor that :meth:`create` opened, here or in the parent."""
        self.descriptor = descriptor
        self._bytes = np.frombuffer(mmap.mmap(descriptor, PICTURE_BYTES), np.uint8)

    @staticmethod
    def create() -> SharedPicture:
        """New memory."""
        descriptor = os.memfd_create('magma_picture')
        os.truncate(descriptor, PICTURE_BYTES)
        return SharedPicture(descriptor)

    def close(self) -> None:
        """No other process will be given it; views of it stay."""
        os.close(self.descriptor)

    def write(self, rgb: NDArray[np.uint8]) -> tuple[int, int]:
        """Copy a picture (height, width, 3) into it; its height and width, for :meth:`read`.

        Raises:
            CameraError: it is too large.
        """
        height, width, _ = rgb.shape
        if rgb.size > PICTURE_BYTES:
            raise CameraError(
                f'CAMERA_FORMAT: a picture of {width} x {height} is too large for the model '
                f'worker, which takes {PICTURE_BYTES // 3} pixels; set the camera to 640 x 480'
            )
        self._bytes[: rgb.size].reshape(rgb.shape)[:] = rgb
        return height, width

    def read(self, height: int, width: int) -> NDArray[np.uint8]:
        """The picture itself, not a copy, and not to be written.

        Raises:
            ValueError: no picture is so large.
        """
        size = height * width * 3
        if min(height, width) < 1 or size > PICTURE_BYTES:
            raise ValueError(f'a picture of {width} x {height} does not fit')
        picture = self._bytes[:size].reshape(height, width, 3)
        picture.flags.writeable = False
        return picture
