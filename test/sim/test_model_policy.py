from __future__ import annotations

import numpy as np
import pytest

from magma_ros.data_types import GripperEvent, Observation, PixelTrace
from magma_ros.image.image_checks import find_fault
from magma_ros.model.action_scaling import load_statistics
from magma_ros.model.backends.scripted_model import ScriptedModel
from magma_ros.sim.model_policy import ModelPolicy
from magma_ros.sim.scenario import make_scenario

STATISTICS = load_statistics('magma_nano_sim')
ACTION = [0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]
TRACE = PixelTrace(1, np.array([5.0, 5.0]), np.array([[320.0, 300.0]]), {0: GripperEvent.CLOSE})


class Watching(ScriptedModel):
    """Remembers what it was shown and asked."""

    def __init__(self, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        self.pictures: list[np.ndarray] = []
        self.sentences: list[str] = []

    def generate_action(self, image_rgb, instruction, state):
        self.pictures.append(image_rgb)
        self.sentences.append(instruction)
        return super().generate_action(image_rgb, instruction, state)


@pytest.fixture
def observation(world, camera) -> Observation:
    scene = make_scenario('reach', 0).scene
    world.reset(scene)
    camera.place(scene)
    return Observation(
        camera.render(0), world.arm_state(0), camera.model(), lambda: camera.render_depth(0)
    )


def test_the_model_gets_the_picture_and_the_sentence(observation: Observation) -> None:
    model = Watching([ACTION])
    policy = ModelPolicy(model, STATISTICS, 'direct', 'base')
    policy.begin('go to the red cube')

    chunk = policy.act(observation, 1)

    assert chunk is not None
    assert chunk.frame_id == 'base'
    assert model.sentences == ['go to the red cube']
    assert np.array_equal(model.pictures[0], observation.image.rgb)


def test_a_blank_picture_shows_nothing_but_passes_the_checks(observation: Observation) -> None:
    model = Watching([ACTION])
    policy = ModelPolicy(model, STATISTICS, 'direct', 'base', blank_picture=True)
    policy.begin('go to the red cube')

    assert policy.act(observation, 1) is not None

    (shown,) = model.pictures
    assert shown.mean() == pytest.approx(127.5, abs=1.0)
    rows = shown.astype(float).mean(axis=(1, 2))
    assert np.ptp(rows) < 3  # no structure
    assert find_fault(observation.image, (640, 480)) is None


def test_latency_is_that_of_the_last_prediction(observation: Observation) -> None:
    policy = ModelPolicy(ScriptedModel([ACTION]), STATISTICS, 'direct', 'base')
    policy.begin('go to the red cube')
    for sequence in range(3):
        policy.act(observation, sequence)

    assert len(policy.latencies_s) == 3
    assert policy.latency_s() == policy.latencies_s[-1] > 0


def test_an_answer_without_a_path_is_counted_not_raised(observation: Observation) -> None:
    policy = ModelPolicy(ScriptedModel([ACTION]), STATISTICS, 'path', 'base')
    policy.begin('go to the red cube')

    assert policy.act(observation, 1) is None
    assert len(policy.refusals) == 1
    assert len(policy.latencies_s) == 1  # a refusal takes time too


def test_a_camera_fault_is_a_refusal(observation: Observation) -> None:
    policy = ModelPolicy(ScriptedModel([ACTION]), STATISTICS, 'direct', 'base')
    policy.begin('go to the red cube')
    dark = observation.image.rgb * 0
    image = type(observation.image)(dark, 0, 'camera')

    seen = Observation(image, observation.arm, observation.camera, observation.read_depth)

    assert policy.act(seen, 1) is None
    assert len(policy.refusals) == 1


def test_a_new_episode_starts_from_the_beginning(observation: Observation) -> None:
    policy = ModelPolicy(ScriptedModel([ACTION], traces=[TRACE]), STATISTICS, 'path', 'base')
    policy.begin('pick up the red cube')
    policy.act(observation, 1)
    assert policy.traces == [TRACE]

    policy.begin('pick up the green cube')

    assert policy.traces == []
