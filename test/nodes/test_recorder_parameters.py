from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip('rclpy')

from magma_ros.dataset.intervention_labels import STATE_TOPIC  # noqa: E402
from magma_ros.errors import (  # noqa: E402
    ConfigurationError,
    EnvironmentMissing,
    RecordingError,
)
from magma_ros.nodes.recorder_parameters import MB, RecorderParameters  # noqa: E402
from magma_ros.nodes.recording_context import NODES  # noqa: E402
from magma_ros.resources import PACKAGE_DIRECTORY, config_path  # noqa: E402
from magma_ros.ros import topics  # noqa: E402


def test_everything_of_ours_is_recorded_and_what_is_added() -> None:
    names = RecorderParameters(
        extra_topics='/camera2/image_raw, /gripper', left_out='/tf,/rosout'
    ).wanted_topics()
    assert {'/magma/action_chunk', '/tf_static', '/parameter_events', '/gripper'} <= set(names)
    assert not {'/tf', '/rosout'} & set(names)
    assert len(names) == len(set(names))


def test_the_topics_of_a_mapping_are_recorded(tmp_path: Path) -> None:
    text = config_path('mappings/wx250s.yaml').read_text()
    mine = tmp_path / 'mine.yaml'
    mine.write_text(text.replace('/camera/camera/color/image_raw', '/wrist/image_raw'))

    names = RecorderParameters(mapping=str(mine)).wanted_topics()

    assert '/wrist/image_raw' in names
    assert len(names) == len(set(names))
    with pytest.raises(ConfigurationError, match='nobody'):
        RecorderParameters(mapping='nobody').wanted_topics()


def test_leaving_out_what_is_not_there_is_a_typing_error() -> None:
    with pytest.raises(ConfigurationError, match='left_out names /tff, .* recorded are .*/tf,'):
        RecorderParameters(left_out='/tff').wanted_topics()


def test_the_parameters_of_every_node_of_ours_are_asked_for() -> None:
    ours = {file.stem for file in (PACKAGE_DIRECTORY / 'nodes').glob('*_node.py')}
    assert ours <= set(NODES)


def test_interventions_are_read_from_what_the_controller_says() -> None:
    assert topics.STATE.name == STATE_TOPIC
    assert STATE_TOPIC in RecorderParameters().wanted_topics()


def test_video_without_its_library_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'av', None)
    with pytest.raises(EnvironmentMissing, match=r'pip install "magma_ros\[video\]"'):
        RecorderParameters(pictures='video').picture_settings()
    assert (
        RecorderParameters(pictures='jpeg', jpeg_quality=80).picture_settings().jpeg_quality == 80
    )


def test_limits_of_the_disk_have_an_order() -> None:
    with pytest.raises(ConfigurationError, match='disk_stop_gb 6.0 is more than disk_warn_gb 5.0'):
        RecorderParameters(disk_stop_gb=6.0).settings()
    with pytest.raises(RecordingError, match="'../evil' cannot name an episode"):
        RecorderParameters(name='../evil').settings()
    assert RecorderParameters().settings().queue_bytes == 256 * MB
