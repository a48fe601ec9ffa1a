"""Pictures stored as video: every one comes back, with the very stamp it had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip('av')

from messages import QOS, START_NS, arrival  # noqa: E402
from pictures import STORE, image  # noqa: E402

from magma_ros.dataset.bag_reader import read_messages  # noqa: E402
from magma_ros.dataset.bag_rewrite import cut_bag, rewrite_bag  # noqa: E402
from magma_ros.dataset.episode_writer import EpisodeWriter  # noqa: E402
from magma_ros.dataset.features.picture_feature import read_picture_message  # noqa: E402
from magma_ros.dataset.picture_conversion import (  # noqa: E402
    PictureConverter,
    PictureSettings,
)
from magma_ros.dataset.reading.bag_folder import open_folder  # noqa: E402
from magma_ros.dataset.reading.message_stream import MessageStream  # noqa: E402
from magma_ros.dataset.recorded_topic import Arrival, RecordedTopic  # noqa: E402
from magma_ros.dataset.video_compression import (  # noqa: E402
    COMPRESSED_VIDEO,
    DEFINITION,
    KEY_EVERY,
    TYPE_HASH,
    VideoEncoder,
)
from magma_ros.dataset.video_reading import (  # noqa: E402
    VideoDecoder,
    is_key_picture,
    read_video,
    read_video_message,
)
from magma_ros.errors import RecordingError  # noqa: E402

highlevel = pytest.importorskip('rosbags.highlevel')
typesys = pytest.importorskip('rosbags.typesys')

COUNT, HEIGHT, WIDTH = 2 * KEY_EVERY + 5, 48, 64
COLOUR = RecordedTopic('/colour', 'sensor_msgs/msg/Image', 'x', '', QOS.format(2))
COMPRESSED = RecordedTopic(
    '/colour/compressed', 'sensor_msgs/msg/CompressedImage', 'x', '', QOS.format(2)
)
TOPICS = {'/colour': (COLOUR, COMPRESSED)}


def scene(index: int) -> np.ndarray:
    """A bright square that moves over a smooth background: its place is the number."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 120, WIDTH)[None]
    left = index % (WIDTH - 8)
    pixels[16:32, left : left + 8] = (20, 230, 40)
    return pixels


def stamp_ns(index: int) -> int:
    return START_NS + index * 33_333_333 + index % 7  # no frame rate makes these


def picture(index: int, pixels: np.ndarray | None = None, encoding: str = 'rgb8') -> Arrival:
    data = image(scene(index) if pixels is None else pixels, encoding, stamp_ns=stamp_ns(index))
    return replace(arrival(index, step_ns=33_000_000), topic='/colour', data=data)


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    converter = PictureConverter(PictureSettings('video'), TOPICS)
    with EpisodeWriter(tmp_path / 'bag') as writer:
        for index in range(COUNT):
            topic, message = converter.convert(picture(index))
            writer.add_topic(topic)  # type: ignore[arg-type]
            writer.write(message)  # type: ignore[arg-type]
    assert converter.refused == {}
    return tmp_path / 'bag'


def check_frames(bag: Path, first: int = 0) -> None:
    frames = list(read_video(bag, '/colour/video'))
    assert [frame.stamp_ns for frame in frames] == [stamp_ns(n) for n in range(first, COUNT)]
    for index, frame in enumerate(frames, first):
        assert np.abs(frame.rgb.astype(int) - scene(index)).mean() < 4.0, index


def test_every_picture_comes_back_with_its_stamp(bag: Path) -> None:
    check_frames(bag)
    rewrite_bag(bag, 'zstd')
    check_frames(bag)


def test_video_is_what_foxglove_asks_for(bag: Path) -> None:
    messages = list(read_messages(bag))
    assert {message.schema.name for message in messages} == {COMPRESSED_VIDEO}
    keys = [index for index, one in enumerate(messages) if is_key_picture(one.data)]
    assert keys == [0, KEY_EVERY, 2 * KEY_EVERY]
    assert all(b'\0\0\0\1' in message.data for message in messages)  # Annex B


def test_rosbags_reads_the_messages_by_the_definition_in_the_bag(bag: Path) -> None:
    with highlevel.AnyReader([bag]) as reader:
        (connection,) = reader.connections
        assert connection.digest == TYPE_HASH
        first = next(reader.deserialize(raw, c.msgtype) for c, _, raw in reader.messages())
    assert (first.frame_id, first.format) == ('camera', 'h264')
    assert first.timestamp.sec * 10**9 + first.timestamp.nanosec == stamp_ns(0)
    store = typesys.get_typestore(typesys.Stores.ROS2_JAZZY)
    text = DEFINITION.split('=' * 80)[0]
    store.register(typesys.get_types_from_msg(text, COMPRESSED_VIDEO))
    assert store.hash_rihs01(COMPRESSED_VIDEO) == TYPE_HASH


def test_a_cut_begins_where_it_can_be_decoded(bag: Path, tmp_path: Path) -> None:
    cut_bag(bag, tmp_path / 'part', 0.033 * (KEY_EVERY + 10), float('inf'), 'plain')
    check_frames(tmp_path / 'part', KEY_EVERY)


def test_a_file_that_was_cut_off_gives_all_before_the_cut(bag: Path) -> None:
    file = bag / 'bag_0.mcap'
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    frames = list(read_video(bag / 'bag_0.mcap', '/colour/video'))
    assert [frame.stamp_ns for frame in frames] == [stamp_ns(n) for n in range(len(frames))]
    assert len(frames) > 3


def test_a_stream_has_pictures_where_the_bag_has_a_video(bag: Path) -> None:
    messages = list(MessageStream(open_folder(bag), {'/colour/video'}))
    assert len(messages) == COUNT
    for index in (0, 7, COUNT - 1):
        message = messages[index]
        assert (message.topic, message.type_name) == ('/colour/video', COLOUR.type_name)
        found = read_picture_message(message)
        assert (found.stamp_ns, found.frame_id) == (stamp_ns(index), 'camera')
        assert np.abs(found.rgb.astype(int) - scene(index)).mean() < 4.0


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(at=st.integers(0, 10**6), value=st.integers(0, 255))
def test_a_damaged_video_is_an_error_or_pictures_of_its_size(
    bag: Path, at: int, value: int
) -> None:
    packets = [read_video_message(message.data).packet for message in read_messages(bag)]
    decoder = VideoDecoder()
    for index, packet in enumerate(packets[:10]):
        spoiled = bytearray(packet)
        if index == 3:
            spoiled[at % len(spoiled)] = value
        try:
            rgb = decoder.decode(bytes(spoiled))
        except RecordingError:
            return
        assert rgb is not None or index == 3
        assert rgb is None or rgb.shape == (HEIGHT, WIDTH, 3)


def test_depth_is_png_and_grey_is_video() -> None:
    converter = PictureConverter(PictureSettings('video'), TOPICS)
    depth = np.arange(HEIGHT * WIDTH, dtype=np.uint16).reshape(HEIGHT, WIDTH)
    topic, message = converter.convert(picture(0, depth, '16UC1'))
    assert topic is COMPRESSED
    found = STORE.deserialize_cdr(message.data, COMPRESSED.type_name)  # type: ignore[union-attr]
    assert found.format == '16UC1; png compressed'
    topic, _ = converter.convert(picture(1, scene(1)[..., 0], 'mono8'))
    assert topic.name == '/colour/video'  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ('pixels', 'encoding', 'why'),
    [
        (np.zeros((47, 64, 3), np.uint8), 'rgb8', 'no video of 64x47'),
        (np.zeros((48, 64), np.uint8), 'bayer_rggb8', "encoding 'bayer_rggb8'"),
    ],
)
def test_what_cannot_be_converted_is_stored_as_it_came(
    pixels: np.ndarray, encoding: str, why: str
) -> None:
    converter = PictureConverter(PictureSettings('video'), TOPICS)
    raw = picture(0, pixels, encoding)
    assert converter.convert(raw) == (COLOUR, raw)
    assert why in converter.refused['/colour']
    assert 'stored as it came' in converter.refused['/colour']


def test_an_encoder_that_fails_costs_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_codec(self: VideoEncoder, shape: tuple[int, ...]) -> None:
        raise ValueError('no libx264')

    monkeypatch.setattr(VideoEncoder, '_open', no_codec)
    converter = PictureConverter(PictureSettings('video'), TOPICS)
    assert converter.convert(picture(0)) == (COLOUR, picture(0))
    assert 'cannot become a video (no libx264)' in converter.refused['/colour']
    wide = PictureConverter(PictureSettings('jpeg'), TOPICS)
    raw = picture(0, np.zeros((1, 70_000, 3), np.uint8))
    assert wide.convert(raw) == (COLOUR, raw)


def test_another_size_begins_a_new_video() -> None:
    converter = PictureConverter(PictureSettings('video'), TOPICS)
    sizes = [(48, 64), (48, 64), (96, 128)]
    stored = [
        converter.convert(picture(n, np.zeros((*size, 3), np.uint8)))[1]
        for n, size in enumerate(sizes)
    ]
    assert [is_key_picture(one.data) for one in stored] == [True, False, True]  # type: ignore[union-attr]


def test_no_such_video_is_named(write_bag: Callable[..., Path]) -> None:
    with pytest.raises(RecordingError, match='has no video /said; magma bags info'):
        list(read_video(write_bag(), '/said'))
