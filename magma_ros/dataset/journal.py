"""A file that grows by whole records: what was appended survives kill -9 at any moment.

Each append is one system call, so that the kernel has the bytes when it returns; a power cut may
take what was not yet synchronised (:meth:`Journal.sync`). Reading one back: ``mcap_scan.py``.
"""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from magma_ros.errors import DiskError, RecordingError

RESERVE = 1024**2  # bytes that are given back when the disk is full: the end of the file fits
RESERVE_SUFFIX = '.reserve'
OF_THE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.ENODEV}


class Journal:
    """A new file at ``path``, with a second one beside it that keeps room for the end.

    Raises:
        DiskError: the disk is full, read-only or gone.
        RecordingError: the file exists or may not be written.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.size = path, 0
        self.synced = 0  # bytes that a power cut leaves
        self._reserve = path.with_suffix(RESERVE_SUFFIX)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        try:
            self._file = os.open(path, flags, 0o644)
            reserve = os.open(self._reserve, flags, 0o644)
            try:
                os.posix_fallocate(reserve, 0, RESERVE)
            finally:
                os.close(reserve)
        except OSError as error:
            raise as_recording_error(error, path) from error

    def append(self, *parts: bytes | memoryview) -> None:
        """Add bytes that belong together, without copying them: all of them or nothing.

        Raises:
            DiskError: the disk is full, read-only or gone.
            RecordingError: they cannot be written for another reason.
        """
        size = sum(len(part) for part in parts)
        try:
            written = os.writev(self._file, parts)
            if written < size:
                rest = memoryview(b''.join(parts))[written:]
                while rest:
                    rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            with contextlib.suppress(OSError):  # readers stop at half a record, too
                os.ftruncate(self._file, self.size)
            raise as_recording_error(error, self.path) from error
        self.size += size

    def sync(self) -> None:
        """Wait until the disk has everything; tens of milliseconds.

        Raises:
            DiskError: the disk is full, read-only or gone.
        """
        size = self.size  # others may append meanwhile
        try:
            if not self.synced:  # that the file is there is written in its folder
                for folder in (self.path.parent, self.path.parent.parent):
                    _sync_folder(folder)
            os.fdatasync(self._file)
        except OSError as error:
            raise as_recording_error(error, self.path) from error
        self.synced = size

    def free_reserve(self) -> None:
        """Give the kept room back to a full disk."""
        self._reserve.unlink(missing_ok=True)

    def close(self) -> None:
        """No more appends."""
        self.free_reserve()
        os.close(self._file)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def as_recording_error(error: OSError, path: Path) -> RecordingError:
    """What went wrong with a file, in our words."""
    if error.errno in OF_THE_DISK:
        return DiskError(
            f'{path}: {error.strerror}. What was written before is kept; make room or choose '
            'another disk, then record again'
        )
    return RecordingError(f'{path}: {error.strerror}; look at the folder and its permissions')
