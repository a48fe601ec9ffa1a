"""Opens a bag, our own or another's: a folder with metadata.yaml, or one MCAP file.

Names in a bag are data: files are taken from the folder itself and from nowhere else, links are
not followed, and what is readable of a damaged bag is given only to those who ask for that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mcap.records import Attachment, Channel, Metadata, Schema

from magma_ros.dataset.bag_metadata import METADATA, read_information
from magma_ros.dataset.mcap_records import FileSummary
from magma_ros.dataset.mcap_scan import Damage, Ending, McapScan, RawMessage
from magma_ros.errors import RecordingError

MOST_FILES = 1000
FILE_NAME = re.compile(r'[\w.+-]+\.mcap')


@dataclass(frozen=True)
class BagMessage:
    """One message with what is needed to decode it."""

    channel: Channel
    schema: Schema
    sequence: int
    log_ns: int
    publish_ns: int
    data: bytes

    @property
    def topic(self) -> str:
        """Name of the topic."""
        return self.channel.topic


@dataclass(frozen=True)
class FileReport:
    """What is in one file, and how it ended."""

    path: Path
    size: int
    end: int  # bytes that are whole
    ending: Ending
    damages: tuple[Damage, ...]
    summary: FileSummary
    metadata: tuple[Metadata, ...] = field(repr=False)
    attachments: tuple[Attachment, ...] = field(repr=False)

    @property
    def lost_bytes(self) -> int:
        """Bytes behind the last whole record."""
        return self.size - self.end


def bag_files(path: Path) -> list[Path]:
    """The MCAP files of a bag in their order.

    Raises:
        RecordingError: there is none, there are too many, or metadata.yaml names files that are
            not simply files of this folder.
    """
    if path.is_symlink():
        raise RecordingError(f'{path} is a link; give the folder or file itself')
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise RecordingError(f'{path} is not there; magma bags list shows the bags of a folder')
    if (path / METADATA).is_file():
        files = [path / name for name in _named_files(path / METADATA)]
    else:
        files = sorted(path.glob('*.mcap'), key=_number)
    if not files or len(files) > MOST_FILES:
        raise RecordingError(f'{path} has {len(files)} MCAP files; 1 to {MOST_FILES} are read')
    return files


def _named_files(metadata: Path) -> list[str]:
    names = read_information(metadata).get('relative_file_paths')
    if not isinstance(names, list):
        raise RecordingError(f'{metadata} names no files; magma bags repair writes it anew')
    for name in names:
        if not isinstance(name, str) or not FILE_NAME.fullmatch(name):
            raise RecordingError(
                f'{metadata} names the file {str(name)[:80]!r}; only MCAP files of the same '
                'folder are read. Do not trust this bag'
            )
    return names


def _number(path: Path) -> tuple[int, str]:
    """``name_10.mcap`` comes after ``name_9.mcap``."""
    match = re.search(r'_(\d{1,9})$', path.stem)
    return (int(match[1]) if match else -1, path.name)


def report_file(path: Path) -> FileReport:
    """Read a file to its end, all but the data of un-chunked messages.

    Raises:
        RecordingError: no MCAP file, or none of a robot.
    """
    summary = FileSummary()
    metadata: list[Metadata] = []
    attachments: list[Attachment] = []
    with McapScan(path, with_data=False) as scan:
        for item in scan:
            if isinstance(item, Schema):
                summary.schemas[item.id] = item
            elif isinstance(item, Channel):
                summary.channels[item.id] = item
                summary.counts.setdefault(item.id, 0)
            elif isinstance(item, RawMessage):
                summary.count(item.channel, item.log_ns)
            elif isinstance(item, Metadata):
                metadata.append(item)
            else:
                attachments.append(item)
        damages = [*scan.damages, *(Damage(scan.end, text) for text in _dangling(summary))]
        ending = Ending.DAMAGED if damages else scan.ending
    return FileReport(
        path,
        scan.size,
        scan.end,
        ending,
        tuple(damages),
        summary,
        tuple(metadata),
        tuple(attachments),
    )


def _dangling(summary: FileSummary) -> Iterator[str]:
    """What refers to something the file does not have."""
    for channel in summary.channels.values():
        if channel.schema_id not in summary.schemas:
            yield f'the topic {channel.topic!r} has no definition'
        if channel.message_encoding != 'cdr':
            yield f'the topic {channel.topic!r} is not in CDR but {channel.message_encoding!r}'
    for number in summary.counts:
        if number not in summary.channels:
            yield f'messages of the channel {number}, which is not described'


def read_messages(path: Path, despite_damage: bool = False) -> Iterator[BagMessage]:
    """Every message of a bag in the order of its files. The end of an unfinished file is no error.

    Args:
        path: folder or file.
        despite_damage: give what is readable of a damaged bag, too.

    Raises:
        RecordingError: at the first damage; names file and byte.
    """
    for file in bag_files(path):
        for item in read_items(file, despite_damage):
            if isinstance(item, BagMessage):
                yield item


def read_items(
    file: Path, despite_damage: bool = False
) -> Iterator[BagMessage | Attachment | Metadata]:
    """Messages, attachments and metadata records of one file; otherwise as read_messages."""
    schemas: dict[int, Schema] = {}
    channels: dict[int, Channel] = {}
    with McapScan(file) as scan:
        for item in scan:
            if not despite_damage:
                _refuse(file, scan.damages)
            if isinstance(item, Schema):
                schemas[item.id] = item
            elif isinstance(item, Channel):
                channels[item.id] = item
            elif isinstance(item, RawMessage):
                channel = channels.get(item.channel)
                schema = schemas.get(channel.schema_id) if channel else None
                if channel is None or schema is None:
                    if not despite_damage:
                        _refuse(file, [Damage(scan.end, 'a message of an unknown topic')])
                    continue
                assert item.data is not None
                yield BagMessage(
                    channel, schema, item.sequence, item.log_ns, item.publish_ns, item.data
                )
            else:
                yield item
        if not despite_damage:
            _refuse(file, scan.damages)


def _refuse(file: Path, damages: list[Damage]) -> None:
    if damages:
        raise RecordingError(
            f'{file}, byte {damages[0].offset}: {damages[0].what}. magma bags repair keeps what '
            'can be read'
        )
