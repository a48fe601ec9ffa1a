"""Which files a bag has and of what kind they are. Names in a bag are data, links are refused."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from magma_ros.dataset.bag_metadata import METADATA, read_information
from magma_ros.dataset.episode_folders import DISCARDED
from magma_ros.dataset.episode_record import EPISODE_FILE
from magma_ros.errors import RecordingError

Kind = Literal['mcap', 'db3']
KINDS: tuple[Kind, ...] = get_args(Kind)
MAGICS: dict[bytes, str] = {
    b'\x89MCAP0\r\n': 'mcap',
    b'SQLite format 3\0': 'db3',
    b'\x28\xb5\x2f\xfd': 'zstd',
    b'#ROSBAG V': 'a bag of ROS 1; rosbags-convert of the rosbags package makes a rosbag2 of it',
}
FILE_NAME = re.compile(r'[\w.+-]+\.(mcap|db3)(\.zstd)?')
MOST_FILES = 1000
FINGERPRINT_BYTES = 65536  # of either end


@dataclass(frozen=True)
class BagFile:
    """One file with messages."""

    path: Path
    kind: Kind
    is_compressed: bool  # as a whole, by zstd


@dataclass(frozen=True)
class BagFolder:
    """A bag: a folder, or a single file."""

    path: Path
    files: tuple[BagFile, ...]
    are_messages_compressed: bool  # each by zstd (rosbag2's compression mode "message")

    @property
    def name(self) -> str:
        """For reports and file names: letters, digits and . _ + - only."""
        plain = re.sub(r'[^\w.+-]', '_', self.path.name.split('.')[0] or 'bag', flags=re.ASCII)
        return plain[:64]

    def fingerprint(self) -> str:
        """Changes when a file does: sizes, times of change, and the bytes at either end."""
        digest = hashlib.sha256()
        record = self.path / EPISODE_FILE
        others = [record] if self.path.is_dir() and record.is_file() else []
        for path in [*(file.path for file in self.files), *others]:
            about = path.stat()
            digest.update(f'{path.name} {about.st_size} {about.st_mtime_ns}\n'.encode())
            with path.open('rb') as stream:
                digest.update(stream.read(FINGERPRINT_BYTES))
                stream.seek(max(0, about.st_size - FINGERPRINT_BYTES))
                digest.update(stream.read())
        return digest.hexdigest()


def open_folder(path: Path) -> BagFolder:
    """The files of a bag in their order: as metadata.yaml says, else by their numbers.

    Raises:
        RecordingError: there is no bag, it is of ROS 1 or of two kinds, or metadata.yaml names
            what is not simply a file of this folder. Names the file.
    """
    if path.is_symlink():
        raise RecordingError(f'{path} is a link; give the folder or file itself')
    if not path.exists():
        raise RecordingError(f'{path} is not there; give the folder of a bag, or its file')
    names, mode = [path.name], ''
    folder = path
    if path.is_file():
        folder = path.parent
    elif (path / METADATA).is_file():
        names, mode = _named_files(path / METADATA)
    else:
        found = [file for file in path.iterdir() if FILE_NAME.fullmatch(file.name)]
        names = [file.name for file in sorted(found, key=_number)]
    if not 0 < len(names) <= MOST_FILES:
        raise RecordingError(
            f'{path} has {len(names)} files with messages; bags have 1 to {MOST_FILES}, named '
            '*.mcap or *.db3, maybe with .zstd behind it'
        )
    files = tuple(_examine(folder / name) for name in names)
    if len({file.kind for file in files}) > 1:
        raise RecordingError(f'{path} mixes MCAP and sqlite3 files; give one bag at a time')
    return BagFolder(path, files, mode == 'message')


def find_bag_folders(path: Path) -> list[Path]:
    """A bag as it is; of a folder of bags those at most two levels below, by name.

    Links are left out, and so is what the recorder has put aside as discarded.
    """
    if path.is_symlink() or not path.is_dir() or _has_messages(path):
        return [path]
    below = [*sorted(path.glob('*')), *sorted(path.glob('*/*'))]
    found = [
        folder
        for folder in below
        if folder.is_dir()
        and not any(one.is_symlink() for one in (folder, folder.parent))
        and folder.parent.name != DISCARDED
        and _has_messages(folder)
    ]
    return found or [path]


def _has_messages(folder: Path) -> bool:
    return any(FILE_NAME.fullmatch(file.name) for file in folder.iterdir())


def _named_files(metadata: Path) -> tuple[list[str], str]:
    information = read_information(metadata)
    names = information.get('relative_file_paths')
    if not isinstance(names, list):
        raise RecordingError(f'{metadata} names no files; magma bags repair writes it anew')
    for name in names:
        if not isinstance(name, str) or not FILE_NAME.fullmatch(name):
            raise RecordingError(
                f'{metadata} names the file {str(name)[:80]!r}; only *.mcap and *.db3 of the same '
                'folder are read. Do not trust this bag'
            )
    mode, kind = (str(information.get(f'compression_{key}') or '') for key in ('mode', 'format'))
    if mode and kind not in ('', 'zstd'):
        raise RecordingError(f'{metadata}: compressed by {kind[:20]!r}; zstd is read')
    return names, mode.lower()


def _number(path: Path) -> tuple[int, str]:
    """``name_10.mcap`` comes after ``name_9.mcap``."""
    match = re.search(r'_(\d{1,9})\.', path.name)
    return (int(match[1]) if match else -1, path.name)


def _examine(path: Path) -> BagFile:
    if path.is_symlink() or not path.is_file():
        raise RecordingError(f'{path} is a link or no file; bags are read from plain files')
    try:
        with path.open('rb') as stream:
            start = stream.read(16)
    except OSError as error:
        raise RecordingError(f'{path} cannot be opened: {error.strerror}') from error
    if not start:
        raise RecordingError(f'{path}, byte 0: the file is empty; nothing was recorded')
    what = next((what for magic, what in MAGICS.items() if start.startswith(magic)), None)
    if what == 'zstd':
        match = FILE_NAME.fullmatch(path.name)
        if match is None or match[2] is None:
            raise RecordingError(f'{path}: zstd, but not named *.mcap.zstd or *.db3.zstd')
        return BagFile(path, 'mcap' if match[1] == 'mcap' else 'db3', True)
    if what == 'mcap' or what == 'db3':
        return BagFile(path, what, False)  # type: ignore[arg-type]  # one of KINDS
    raise RecordingError(
        f'{path}, byte 0: {what or "neither an MCAP nor a sqlite3 bag"}; rosbag2 records those'
    )
