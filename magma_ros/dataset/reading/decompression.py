"""zstd as rosbag2 uses it, for whole files and for single messages; sizes are bounded first."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import zstandard

from magma_ros.errors import DiskError, RecordingError

BLOCK = 1024**2
LARGEST_MESSAGE = 512 * 1024**2  # bytes
SPARE_BYTES = 1024**3  # that must stay free on the disk


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """A plain copy of a compressed file, as long as the context lasts.

    Raises:
        RecordingError: it is damaged or cut off; names file and byte.
        DiskError: the copy would fill the disk.
    """
    with tempfile.TemporaryDirectory(prefix='magma_bag_') as folder:
        target = Path(folder) / path.name.removesuffix('.zstd')
        room = shutil.disk_usage(folder).free - SPARE_BYTES
        with path.open('rb') as source, target.open('wb') as sink:
            unpacker = zstandard.ZstdDecompressor().decompressobj()
            while block := source.read(BLOCK):
                try:
                    data = unpacker.decompress(block)
                except zstandard.ZstdError as error:
                    raise RecordingError(
                        f'{path}, before byte {source.tell()}: cannot be decompressed ({error})'
                    ) from error
                room -= len(data)
                if room < 0:
                    raise DiskError(f'{path}: {folder} has no room for what it holds; make room')
                sink.write(data)
                if unpacker.eof:
                    break
        if not unpacker.eof:
            raise RecordingError(
                f'{path}, byte {path.stat().st_size}: cut off; zstd -dc reads what is left of it'
            )
        yield target


def unpack_message(data: bytes) -> bytes:
    """The bytes of one compressed message.

    Raises:
        ValueError: damaged, or larger than any message.
    """
    try:
        size = zstandard.get_frame_parameters(data).content_size
        if size > LARGEST_MESSAGE:
            raise ValueError(f'a message of {size} bytes; at most {LARGEST_MESSAGE} are read')
        return zstandard.ZstdDecompressor().decompress(data, max_output_size=LARGEST_MESSAGE)
    except zstandard.ZstdError as error:
        raise ValueError(f'a message that cannot be decompressed ({error})') from error
