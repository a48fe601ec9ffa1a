"""Which devices may be opened together, and what a bag must hold to be replayed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip('rclpy')

from mcap.writer import Writer  # noqa: E402
from rclpy.serialization import serialize_message  # noqa: E402

from magma_ros.data_types import DeltaChunk, EndEffectorDelta  # noqa: E402
from magma_ros.errors import (  # noqa: E402
    ConfigurationError,
    EnvironmentMissing,
    RecordingError,
)
from magma_ros.model.action_model import ModelIdentity  # noqa: E402
from magma_ros.nodes.recorded_chunks import read_recording  # noqa: E402
from magma_ros.nodes.teleop_devices import open_devices  # noqa: E402
from magma_ros.resources import config_path  # noqa: E402
from magma_ros.robot.arm_profile import load_arm_profile  # noqa: E402
from magma_ros.ros import topics  # noqa: E402
from magma_ros.ros.arm_messages import joint_state_message  # noqa: E402
from magma_ros.ros.chunk_messages import ActionInfo, chunk_to_message, info_to_message  # noqa: E402
from magma_ros.ros.topic_kinds import Topic  # noqa: E402

PROFILE = load_arm_profile('wx250s')
RECORDED = (topics.JOINT_STATES, topics.ACTION_CHUNK, topics.ACTION_INFO)
SECOND_NS = 1_000_000_000


class NoNode:
    """Subscribes to nothing."""

    def create_subscription(self, *_: object) -> None:
        pass


def write_bag(
    folder: Path, chunks: int = 3, with_joints: bool = True, is_chunked: bool = True
) -> Path:
    folder.mkdir()
    with (folder / 'episode.mcap').open('wb') as file:
        bag = Writer(file, use_chunking=is_chunked)
        bag.start(profile='ros2')
        schema = bag.register_schema('any', 'ros2msg', b'')
        channels = {t.name: bag.register_channel(t.name, 'cdr', schema) for t in RECORDED}

        def write(topic: Topic, message: Any, stamp_ns: int) -> None:
            data = serialize_message(message)
            bag.add_message(channels[topic.name], stamp_ns, data, stamp_ns)

        if with_joints:
            names = (*PROFILE.joint_names, PROFILE.gripper_joint)
            positions = np.array([*PROFILE.start_joints_rad, 0.037])
            joints = joint_state_message(names, positions, np.zeros(7), SECOND_NS)
            write(topics.JOINT_STATES, joints, SECOND_NS)
        for number in range(1, chunks + 1):
            stamp_ns = number * SECOND_NS // 2 + SECOND_NS
            delta = EndEffectorDelta(np.array([0.0, 0.0, -0.01 * number]), np.zeros(3), 0.0)
            frame = PROFILE.base_link
            chunk = DeltaChunk((delta,), 0.2, stamp_ns, 'measured', frame, number, 'path')
            model = ModelIdentity('nano', 'ab')
            info = ActionInfo(stamp_ns, number, 'path', 'measured', model, 0, 0)
            write(topics.ACTION_CHUNK, chunk_to_message(chunk), stamp_ns)
            write(topics.ACTION_INFO, info_to_message(info), stamp_ns)
        bag.finish()
    return folder


def test_a_recording_has_its_chunks_in_time_and_where_the_arm_began(tmp_path: Path) -> None:
    recording = read_recording(write_bag(tmp_path / 'episode'), PROFILE)

    assert [since_s for since_s, _ in recording.chunks] == pytest.approx([0.0, 0.5, 1.0])
    assert [chunk.deltas[0].translation_m[2] for _, chunk in recording.chunks] == [
        pytest.approx(z) for z in (-0.01, -0.02, -0.03)
    ]
    start = PROFILE.kinematics().forward(np.array(PROFILE.start_joints_rad))
    assert recording.start_gripper_in_base.translation_m == pytest.approx(start.translation_m)
    assert recording.duration_s == pytest.approx(1.2)


def test_what_cannot_be_replayed_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match='0 action chunks and some joint states'):
        read_recording(write_bag(tmp_path / 'empty', chunks=0), PROFILE)
    with pytest.raises(ConfigurationError, match='3 action chunks and no joint states'):
        read_recording(write_bag(tmp_path / 'blind', with_joints=False), PROFILE)
    with pytest.raises(RecordingError, match='none is not there'):
        read_recording(tmp_path / 'none', PROFILE)


@settings(max_examples=40, deadline=None)
@given(
    at=st.integers(0, 3000), cut=st.booleans(), is_chunked=st.booleans(), value=st.integers(0, 255)
)
def test_a_damaged_recording_is_replayed_as_it_was_or_not_at_all(
    tmp_path_factory: pytest.TempPathFactory, at: int, cut: bool, is_chunked: bool, value: int
) -> None:
    folder = write_bag(tmp_path_factory.mktemp('damage') / 'bag', is_chunked=is_chunked)
    whole = read_recording(folder, PROFILE)
    file = folder / 'episode.mcap'
    data = file.read_bytes()
    at %= len(data)
    file.write_bytes(data[:at] if cut else data[:at] + bytes([value]) + data[at + 1 :])
    try:
        found = read_recording(folder, PROFILE)
    except (RecordingError, ConfigurationError):
        return
    assert not cut
    if is_chunked:  # what is in no chunk has no checksum
        assert [chunk.sequence for _, chunk in found.chunks] == [
            chunk.sequence for _, chunk in whole.chunks
        ]


@pytest.mark.parametrize(
    ('names', 'words'),
    [
        ((), 'at least one'),
        (('joy', 'joy'), 'name each one once'),
        (('spacenav', 'keyboard'), 'keyboard is the deadman switch'),
        (('spacenav', 'leader'), 'keyboard is the deadman switch'),
        (('wheel',), 'gamepad.yaml'),
    ],
)
def test_impossible_sets_of_devices(names: tuple[str, ...], words: str) -> None:
    with pytest.raises((ConfigurationError, EnvironmentMissing), match=words):
        open_devices(names, NoNode(), PROFILE, '')  # type: ignore[arg-type]


def test_devices_without_a_switch_and_replay_without_a_bag(tmp_path: Path) -> None:
    text = config_path('teleop/replay.yaml').read_text()
    path = tmp_path / 'again.yaml'
    path.write_text(text.replace('deadman_device: keyboard', "deadman_device: ''"))
    with pytest.raises(ConfigurationError, match='recording'):
        open_devices((str(path),), NoNode(), PROFILE, '')  # type: ignore[arg-type]
    bag = str(write_bag(tmp_path / 'episode'))
    with pytest.raises(ConfigurationError, match='again has no deadman switch'):
        open_devices((str(path),), NoNode(), PROFILE, bag)  # type: ignore[arg-type]


def test_a_switch_is_not_borrowed_twice(tmp_path: Path) -> None:
    path = tmp_path / 'mine.yaml'
    text = config_path('teleop/spacenav.yaml').read_text()
    path.write_text(text.replace('deadman_device: keyboard', 'deadman_device: leader'))
    with pytest.raises(ConfigurationError, match='leader has no switch of its own'):
        open_devices((str(path),), NoNode(), PROFILE, '')  # type: ignore[arg-type]


def test_a_joy_and_a_console_side_by_side() -> None:
    opened = open_devices(('joy', 'twist'), NoNode(), PROFILE, '')  # type: ignore[arg-type]

    assert list(opened.devices) == ['joy', 'twist']
    assert 'silent' in opened.devices['joy'].read(None, 0.0).fault
    assert not opened.devices['twist'].read(None, 0.0).fault


def test_a_terminal_is_given_back_when_another_device_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given_back = []
    keys = SimpleNamespace(poll=lambda: '', close=lambda: given_back.append(True))
    monkeypatch.setattr('magma_ros.nodes.teleop_devices.TerminalKeys', lambda: keys)
    panda = load_arm_profile('panda')

    with pytest.raises(ConfigurationError, match='the leader file maps the joints'):
        open_devices(('joy', 'leader'), NoNode(), panda, '')  # type: ignore[arg-type]
    assert given_back == [True]
