"""Writes a bag anew: chunks with index, checksums and compression; also repairs and cuts.

The old file is replaced only after the new one was read back and counted, in one step (rename).
``python -m magma_ros.dataset.bag_rewrite FOLDER CHUNKS`` is what the recorder starts in a process
of its own when an episode has ended.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from mcap.records import Attachment, Channel, Metadata
from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter

from magma_ros.dataset.bag_metadata import METADATA, RECORD_NAME, metadata_text
from magma_ros.dataset.bag_reader import (
    BagMessage,
    FileReport,
    bag_files,
    read_items,
    report_file,
)
from magma_ros.dataset.journal import RESERVE_SUFFIX, as_recording_error
from magma_ros.dataset.mcap_records import LIBRARY, PROFILE, FileSummary
from magma_ros.dataset.mcap_scan import Ending
from magma_ros.dataset.video_compression import COMPRESSED_VIDEO
from magma_ros.dataset.video_reading import is_key_picture
from magma_ros.errors import MagmaError, RecordingError

Chunks = Literal['plain', 'lz4', 'zstd']
COMPRESSIONS = {
    'plain': CompressionType.NONE,
    'lz4': CompressionType.LZ4,
    'zstd': CompressionType.ZSTD,
}
UNFINISHED_SUFFIX = '.rewriting'
TRANSFORMS = 'tf2_msgs/msg/TFMessage'  # latched, and several publishers have a part each


@dataclass(frozen=True)
class Rewritten:
    """What became of a bag."""

    kept: int  # messages
    lost_bytes: int  # of the old files that could not be read
    damages: tuple[str, ...]


def rewrite_bag(folder: Path, chunks: Chunks = 'plain', keep_old: bool = False) -> Rewritten:
    """Replace the files of a bag by one with index and checksums, and write metadata.yaml.

    What cannot be read is left out and reported, never invented.

    Args:
        folder: of the bag.
        chunks: how they are compressed.
        keep_old: leave the old files in the folder, as ``*.mcap.old``.

    Raises:
        RecordingError: nothing can be read, or the new file is not what was written.
        DiskError: no room; the bag is as before.
    """
    files = _files_of_any(folder)
    reports = [report_file(file) for file in files]
    new = folder / f'{folder.name}_0.mcap'
    temporary = new.with_suffix(UNFINISHED_SUFFIX)
    summary = _write(
        temporary, (item for file in files for item in read_items(file, True)), chunks
    )
    _prove(temporary, summary)
    try:
        if keep_old:
            for file in files:
                file.rename(file.with_name(f'{file.name}.old'))
        temporary.replace(new)
        for file in files:
            if file != new:
                file.unlink(missing_ok=True)
        _write_metadata(folder, new.name, summary)
        for reserve in folder.glob(f'*{RESERVE_SUFFIX}'):
            reserve.unlink()
    except OSError as error:
        raise as_recording_error(error, folder) from error
    return Rewritten(summary.message_count, sum(r.lost_bytes for r in reports), _texts(reports))


def cut_bag(bag: Path, target: Path, start_s: float, end_s: float, chunks: Chunks) -> int:
    """Copy a range of time into a new bag, with what was in force before it.

    That is messages of latched topics, and a video back to a picture that can be decoded.

    Args:
        bag: folder or file; must not be damaged.
        target: the new folder.
        start_s: since the first message.
        end_s: since the first message; the message at that time is not part of it. May be inf.
        chunks: how they are compressed.

    Returns:
        How many messages the new bag has.

    Raises:
        RecordingError: the bag is damaged, or the folder exists.
    """
    files = bag_files(bag)
    first_ns = min(r.first_ns for r in (report_file(f).summary for f in files) if r.message_count)
    start_ns = first_ns + round(start_s * 1e9)
    end_ns = math.inf if math.isinf(end_s) else first_ns + round(end_s * 1e9)
    try:
        target.mkdir(parents=True)
    except OSError as error:
        raise as_recording_error(error, target) from error
    new = target / f'{target.name}_0.mcap'
    items = (item for file in files for item in read_items(file))
    summary = _write(new, _in_range(items, start_ns, end_ns), chunks)
    _prove(new, summary)
    _write_metadata(target, new.name, summary)
    return summary.message_count


def _in_range(
    items: Iterable[BagMessage | Attachment | Metadata], start_ns: int, end_ns: float
) -> Iterable[BagMessage | Attachment | Metadata]:
    before: dict[str, list[BagMessage]] = {}
    has_begun = False
    for item in items:
        if not isinstance(item, BagMessage):
            yield item
        elif item.log_ns < start_ns:
            _remember(before.setdefault(item.topic, []), item)
        elif item.log_ns < end_ns:
            if not has_begun:
                has_begun = True
                for one in itertools.chain(*before.values()):
                    yield replace(one, log_ns=start_ns)
            yield item


def _remember(before: list[BagMessage], message: BagMessage) -> None:
    """Keep what of a topic still counts after this message."""
    if message.schema.name == COMPRESSED_VIDEO:
        is_key = is_key_picture(message.data)
        if is_key:
            before.clear()
        if is_key or before:
            before.append(message)
    elif is_latched(message.channel):
        if message.schema.name != TRANSFORMS:
            before.clear()
        before.append(message)


def is_latched(channel: Channel) -> bool:
    """Whether the publisher offered its last message to late subscribers (transient local)."""
    qos = channel.metadata.get('offered_qos_profiles', '')
    return 'durability: 1' in qos or 'transient_local' in qos


def _files_of_any(folder: Path) -> list[Path]:
    """The files of a bag even if its metadata.yaml cannot be used."""
    if not folder.is_dir() or folder.is_symlink():
        raise RecordingError(f'{folder} is no folder of a bag')
    try:
        return bag_files(folder)
    except RecordingError:
        files = sorted(file for file in folder.glob('*.mcap') if not file.is_symlink())
        if not files:
            raise
        return files


def _write(
    path: Path, items: Iterable[BagMessage | Attachment | Metadata], chunks: Chunks
) -> FileSummary:
    """A chunked file of its own numbers; its summary."""
    summary = FileSummary()
    path.unlink(missing_ok=True)
    try:
        with path.open('wb') as stream:
            writer = McapWriter(stream, compression=COMPRESSIONS[chunks], enable_data_crcs=True)
            writer.start(PROFILE, LIBRARY)
            channel_of = _Channels(writer, summary)
            for item in items:
                if isinstance(item, BagMessage):
                    number = channel_of(item)
                    writer.add_message(
                        number, item.log_ns, item.data, item.publish_ns, item.sequence
                    )
                    summary.count(number, item.log_ns)
                elif isinstance(item, Attachment):
                    writer.add_attachment(
                        item.create_time, item.log_time, item.name, item.media_type, item.data
                    )
                elif item.name != RECORD_NAME:
                    writer.add_metadata(item.name, item.metadata)
            text = metadata_text(path.with_suffix('.mcap').name, summary)
            writer.add_metadata(RECORD_NAME, {'serialized_metadata': text})
            writer.finish()
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise as_recording_error(error, path) from error
    return summary


class _Channels:
    """Numbers of the new file by what they were in the old ones."""

    def __init__(self, writer: McapWriter, summary: FileSummary) -> None:
        self._writer, self._summary = writer, summary
        self._numbers: dict[tuple[str, str], int] = {}

    def __call__(self, message: BagMessage) -> int:
        old, key = message.channel, (message.topic, message.schema.name)
        if key not in self._numbers:
            schema = message.schema
            schema_id = self._writer.register_schema(schema.name, schema.encoding, schema.data)
            number = self._writer.register_channel(
                old.topic, old.message_encoding, schema_id, old.metadata
            )
            self._summary.schemas[schema_id] = schema
            self._summary.channels[number] = replace(old, id=number, schema_id=schema_id)
            self._numbers[key] = number
        return self._numbers[key]


def _prove(path: Path, written: FileSummary) -> None:
    """Read a new file back.

    Raises:
        RecordingError: it is not what was written; it is deleted.
    """
    report = report_file(path)
    if report.ending is not Ending.FINISHED or report.summary.counts != written.counts:
        path.unlink()
        raise RecordingError(
            f'{path}: what was written cannot be read back ({_texts([report])}); is the disk '
            'sound? The bag is as before'
        )


def _texts(reports: list[FileReport]) -> tuple[str, ...]:
    return tuple(
        f'{report.path.name}, byte {damage.offset}: {damage.what}'
        for report in reports
        for damage in report.damages
    )


def _write_metadata(folder: Path, file_name: str, summary: FileSummary) -> None:
    temporary = folder / f'{METADATA}.new'
    temporary.write_text(metadata_text(file_name, summary), encoding='utf-8')
    temporary.replace(folder / METADATA)


def main(arguments: list[str]) -> int:
    """Rewrite one bag, giving way to everything else on the machine."""
    folder, chunks = arguments
    if chunks not in get_args(Chunks):
        raise SystemExit(f'{chunks!r} is none of {get_args(Chunks)}')
    with contextlib.suppress(OSError):
        os.nice(10)
    try:
        rewrite_bag(Path(folder), chunks)  # type: ignore[arg-type]
    except MagmaError as error:
        sys.stderr.write(f'{error}\n')
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
