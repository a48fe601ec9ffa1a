"""Recordings that are damaged or mean harm, as files, for a node that is to read them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mcap.records import Channel, Header, Schema

from magma_ros.dataset.bag_metadata import METADATA, to_yaml
from magma_ros.dataset.bag_rewrite import rewrite_bag
from magma_ros.dataset.episode_writer import EpisodeWriter
from magma_ros.dataset.mcap_records import MAGIC, encode
from magma_ros.dataset.recorded_topic import Arrival, RecordedTopic
from magma_ros.resources import config_path

Spoil = Callable[[Path], None]  # what is done to a sound bag
TOPICS = 5000  # more than any robot has


def replaying(spoil: Spoil) -> Callable[[Path], dict[str, Any]]:
    """The parameters of a teleop_node that is to replay a bag with this done to it."""

    def make(directory: Path) -> dict[str, Any]:
        bag = write_bag(directory / 'episode')
        spoil(bag)
        device = directory / 'replay.yaml'  # with a switch that needs no terminal
        text = config_path('teleop/replay.yaml').read_text(encoding='utf-8')
        device.write_text(text.replace('deadman_device: keyboard', 'deadman_device: twist'))
        return {'devices': str(device), 'recording': str(bag)}

    return make


def write_bag(folder: Path) -> Path:
    """A sound bag, chunked and with checksums."""
    topic = RecordedTopic('/said', 'std_msgs/msg/String', 'string data', '', '')
    with EpisodeWriter(folder) as writer:
        writer.add_topic(topic)
        for index in range(1, 1000):
            writer.write(Arrival(topic.name, bytes(100), index, index))
    rewrite_bag(folder)
    return folder


def flip_bit(bag: Path) -> None:
    """One bit of the messages."""
    data = bytearray(_file(bag).read_bytes())
    data[len(data) // 2] ^= 1
    _file(bag).write_bytes(data)


def truncate(bag: Path) -> None:
    """The second half is missing."""
    data = _file(bag).read_bytes()
    _file(bag).write_bytes(data[: len(data) // 2])


def lengthen_record(bag: Path) -> None:
    """The first record says that it is longer than any disk."""
    data = _file(bag).read_bytes()
    at = len(MAGIC) + 1
    _file(bag).write_bytes(data[:at] + b'\xff' * 8 + data[at + 8 :])


def replace_content(bag: Path) -> None:
    """Something else under this name."""
    _file(bag).write_bytes(bytes(range(256)) * 10)


def name_other_files(bag: Path) -> None:
    """metadata.yaml points out of the folder."""
    names = ['../../../../etc/passwd']
    information = {'rosbag2_bagfile_information': {'relative_file_paths': names}}
    (bag / METADATA).write_text(to_yaml(information))


def nest_metadata(bag: Path) -> None:
    """metadata.yaml without end."""
    (bag / METADATA).write_text('[' * 100_000)


def link_elsewhere(bag: Path) -> None:
    """The file is a link to one that lies elsewhere."""
    _file(bag).rename(bag.parent / 'elsewhere.mcap')
    _file(bag).symlink_to(bag.parent / 'elsewhere.mcap')


def add_topics(bag: Path) -> None:
    """More topics than memory should be asked for."""
    schema = Schema(1, b'string data', 'ros2msg', 'std_msgs/msg/String')
    channels = (Channel(number, f'/t{number}', 'cdr', {}, 1) for number in range(1, TOPICS))
    _file(bag).write_bytes(MAGIC + encode(Header('ros2', ''), schema, *channels))


def _file(bag: Path) -> Path:
    return bag / f'{bag.name}_0.mcap'
