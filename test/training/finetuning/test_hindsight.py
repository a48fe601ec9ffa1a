"""A demonstration labels its own beginning: where the gripper will close and open."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_conversations import OVERHEAD, write_tiny

from magma_ros.data_types import GripperEvent
from magma_ros.dataset.episode_writer import EpisodeWriter
from magma_ros.errors import ConfigurationError, RecordingError
from magma_ros.image.projection import project
from magma_ros.model.text.trace_text import parse_trace_answer
from magma_ros.sim.path_labels import path_label
from magma_ros.sim.scenario import make_scenario
from magma_ros.sim.scene import Variation
from magma_ros.tools.magma import main
from magma_ros.training.finetuning.bag_camera import read_camera
from magma_ros.training.finetuning.conversations import read_conversations
from magma_ros.training.finetuning.hindsight import find_contacts, hindsight_trace
from magma_ros.training.finetuning.path_labels import label_paths, path_question
from magma_ros.training.finetuning.scripted_bags import record_scripted

TOOLS_M = np.array([[0.2 + 0.01 * step, 0.1, 0.1] for step in range(12)])
PUT = [1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1]


def test_contacts_are_where_the_gripper_closed_and_opened() -> None:
    close, open_ = find_contacts(TOOLS_M, PUT)

    assert (close.step, close.event) == (4, GripperEvent.CLOSE)
    assert close.point_in_base_m == pytest.approx([0.24, 0.1, 0.112])  # the top of what it holds
    assert (open_.step, open_.event) == (8, GripperEvent.OPEN)
    assert open_.point_in_base_m == pytest.approx([0.28, 0.1, 0.07])


def test_the_path_shrinks_as_the_demonstration_goes_on() -> None:
    contacts = find_contacts(TOOLS_M, PUT)
    traces = [hindsight_trace(step, TOOLS_M, contacts, OVERHEAD) for step in (0, 5, 9)]

    assert traces[0] is not None
    assert traces[1] is not None
    assert traces[0].events == {1: GripperEvent.CLOSE, 4: GripperEvent.OPEN}
    assert len(traces[0].points_px) == 5
    assert traces[1].events == {1: GripperEvent.OPEN}
    assert traces[2] is None
    # Straight below the camera at (0.3, 0): 500 px a metre at a distance of one metre.
    away = (traces[0].points_px[1] - [320, 240]) * (1 - 0.112) / 500
    assert np.abs(away) == pytest.approx([0.06, 0.1], abs=1e-6)


def test_without_an_event_the_end_is_the_goal() -> None:
    (goal,) = find_contacts(TOOLS_M, [1] * 12)

    assert (goal.step, goal.event) == (11, None)


def test_a_push_has_no_contacts() -> None:
    assert find_contacts(TOOLS_M, [0] * 12) == []


@settings(deadline=None, max_examples=30)
@given(st.lists(st.booleans(), min_size=12, max_size=12))
def test_events_alternate_whatever_flickers(is_open: list[bool]) -> None:
    contacts = find_contacts(TOOLS_M, [float(value) for value in is_open])
    events = [contact.event for contact in contacts if contact.event is not None]

    assert all(one is not other for one, other in zip(events, events[1:], strict=False))
    assert [contact.step for contact in contacts] == sorted({c.step for c in contacts})


def test_hindsight_of_a_bag_agrees_with_the_truth_of_the_simulator(
    tmp_path: Path, world, camera
) -> None:
    """Record, convert, label; against the label made from where things really are."""
    variation, seed = Variation(camera_place='side'), 2_000_001
    bags, data, paths = (tmp_path / name for name in ('bags', 'data', 'paths'))
    assert record_scripted(bags, ['put'], [seed], variation) == 1
    assert record_scripted(bags, ['put'], [seed], variation) == 0  # it is there
    command = ['data', 'convert', str(bags), '--to', 'magma', '--out', str(data), '--workers', '1']
    main([*command, '--validation', '0'])
    name = f'put_{seed}'
    lens = read_camera(bags / name, world.profile.base_link)

    count = label_paths(data, {name: lens}, paths)

    samples = [sample for sample in read_conversations(paths).train if sample.kind == 'trace']
    assert len(samples) == count > 10
    (trace,) = parse_trace_answer(samples[0].answer, lens.width_px, lens.height_px)
    scenario = make_scenario('put', seed, False, variation)
    world.reset(scenario.scene)
    camera.place(scenario.scene)
    assert camera.model().pose_camera_in_base.translation_m == pytest.approx(
        lens.pose_camera_in_base.translation_m
    )
    truth = path_label(scenario.task, world.truth())
    away_px = np.linalg.norm(trace.points_px - project(lens, truth.points_m), axis=1)
    assert trace.events == truth.events
    assert away_px[[1, 4]].max() < 14  # of 640: where the cube is gripped and the plate hit vary
    assert samples[0].question == path_question(scenario.instruction)


def test_a_missing_camera_is_named(tmp_path: Path) -> None:
    write_tiny(tmp_path / 'data')

    with pytest.raises(ConfigurationError, match="'pick_0'"):
        label_paths(tmp_path / 'data', {}, tmp_path / 'paths')

    assert not (tmp_path / 'paths').exists()


def test_a_bag_without_a_camera_is_named(tmp_path: Path) -> None:
    with EpisodeWriter(tmp_path / 'bag'):
        pass

    with pytest.raises(RecordingError, match='camera_info'):
        read_camera(tmp_path / 'bag', 'base')
