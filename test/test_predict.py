"""predict() with a model that answers from a list."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from magma_ros.data_types import (
    ArmState,
    CameraImage,
    CameraModel,
    DepthImage,
    EndEffectorDelta,
    GripperEvent,
    Observation,
    PixelTrace,
)
from magma_ros.errors import CameraError, ConfigurationError, InstructionError, ModelError
from magma_ros.model.action_model import ActionDeltas
from magma_ros.model.action_scaling import decode_delta, load_statistics
from magma_ros.model.backends.scripted_model import ScriptedModel
from magma_ros.pipeline import POLICY_PERIOD_S, PredictMemory, predict
from magma_ros.rotations import DOWN, make_pose

STATISTICS = load_statistics('magma_nano_sim')
ACTION = [0.5, -0.5, 0.25, 0.0, 0.0, 0.1, 1.0]
FRAME = 'wx250s/base_link'
# Looks straight down from above (0.3, 0): image x along base y, image y along base x.
DOWNWARDS = Rotation.from_matrix(np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]]))
ABOVE = make_pose(np.array([0.3, 0.0, 0.6]), DOWNWARDS)
CAMERA = CameraModel(64, 48, 60.0, 60.0, 32.0, 24.0, ABOVE)
TRACE = PixelTrace(
    1, np.array([5.0, 5.0]), np.array([[20.0, 20.0], [32.0, 24.0]]), {1: GripperEvent.CLOSE}
)


class Depth:
    """Flat depth; counts how often it is asked for."""

    def __init__(self, depth_m: float = 0.6) -> None:
        self.reads, self._depth_m = 0, depth_m

    def __call__(self) -> DepthImage:
        self.reads += 1
        return DepthImage(np.full((48, 64), self._depth_m, np.float32), 0)


def observe(stamp_ns: int = 0, rgb: np.ndarray | None = None, depth: Depth | None = None):
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    pose = make_pose(np.array([0.28, 0.0, 0.15]), DOWN)
    arm = ArmState(np.zeros(6), np.zeros(6), pose, 1.0, stamp_ns)
    image = CameraImage(noise if rgb is None else rgb, stamp_ns, 'camera')
    return Observation(image, arm, CAMERA, depth or Depth())


def ask(model, observation, memory=None, instruction='pick up the red cube', mode='direct'):
    memory = memory or PredictMemory()
    return predict(memory, model, STATISTICS, observation, instruction, mode, FRAME)


def test_direct_gives_the_models_action_in_metres_and_radians() -> None:
    model = ScriptedModel([ACTION])

    chunk = ask(model, observe(stamp_ns=123))

    answer = ScriptedModel([ACTION]).generate_action(observe().image.rgb, 'x', None)
    expected = decode_delta(answer.normalised, STATISTICS)
    (delta,) = chunk.deltas
    assert delta.translation_m == pytest.approx(expected.translation_m)
    assert delta.rotation_vector_rad == pytest.approx(expected.rotation_vector_rad)
    assert delta.gripper_opening == expected.gripper_opening
    assert 0 < np.abs(delta.translation_m).max() < 0.1
    assert (chunk.image_stamp_ns, chunk.frame_id) == (123, FRAME)
    assert (chunk.reference, chunk.source, chunk.step_s) == ('measured', 'direct', POLICY_PERIOD_S)


def test_sequences_increase_within_an_instruction() -> None:
    model, memory = ScriptedModel([ACTION]), PredictMemory()

    numbers = [ask(model, observe(n), memory).sequence for n in range(3)]

    assert numbers == [1, 2, 3]


def test_direct_never_asks_for_depth() -> None:
    depth = Depth()

    ask(ScriptedModel([ACTION]), observe(depth=depth))

    assert depth.reads == 0


def test_path_asks_for_one_trace_and_one_depth_and_then_follows() -> None:
    model, memory, depth = ScriptedModel([ACTION], traces=[TRACE]), PredictMemory(), Depth()

    first = ask(model, observe(1, depth=depth), memory, mode='path')
    second = ask(model, observe(2, depth=depth), memory, mode='path')

    assert depth.reads == 1
    assert memory.traces == [TRACE]
    assert first.source == second.source == 'path'
    assert [first.image_stamp_ns, second.image_stamp_ns] == [1, 2]
    # The point in the middle of the picture is straight ahead of the camera, at (0.3, 0).
    assert first.deltas[0].translation_m[:2] == pytest.approx([0.018, 0.0], abs=0.006)


def test_a_new_instruction_begins_with_a_new_memory() -> None:
    model, depth = ScriptedModel([ACTION], traces=[TRACE]), Depth()

    for _ in range(2):
        ask(model, observe(depth=depth), PredictMemory(), mode='path')

    assert depth.reads == 2


@pytest.mark.parametrize('mode', ['direct', 'path'])
def test_a_dark_picture_is_refused_by_name(mode) -> None:
    dark = observe(rgb=np.zeros((48, 64, 3), np.uint8))

    with pytest.raises(CameraError, match='CAMERA_DARK.*camera'):
        ask(ScriptedModel([ACTION], traces=[TRACE]), dark, mode=mode)


def test_a_picture_of_another_size_is_refused_by_name() -> None:
    with pytest.raises(CameraError, match='CAMERA_FORMAT'):
        ask(ScriptedModel([ACTION]), observe(rgb=np.zeros((480, 640, 3), np.uint8)))


def test_an_unknown_mode_names_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="'sideways' is unknown; modes are direct, path"):
        ask(ScriptedModel([ACTION]), observe(), mode='sideways')


def test_an_answer_without_a_path_is_an_error_that_quotes_the_sentence() -> None:
    memory = PredictMemory()

    with pytest.raises(ModelError, match='no path.*"pick up the red cube"'):
        ask(ScriptedModel([ACTION]), observe(), memory, mode='path')
    assert memory.follower is None
    assert memory.sequence == 0


def test_missing_depth_at_the_contact_is_a_camera_error() -> None:
    blind = observe(depth=Depth(0.0))

    with pytest.raises(CameraError, match='no depth'):
        ask(ScriptedModel([ACTION], traces=[TRACE]), blind, mode='path')


@pytest.mark.parametrize('mode', ['direct', 'path'])
def test_an_empty_instruction_is_refused(mode) -> None:
    with pytest.raises(InstructionError, match='empty'):
        ask(ScriptedModel([ACTION], traces=[TRACE]), observe(), instruction=' ', mode=mode)


class ServerModel(ScriptedModel):
    """Answers in metres and radians, as servers do: a chunk of three."""

    def generate_action(self, image_rgb, instruction, state):
        steps = (EndEffectorDelta(np.array([x, 0.0, 0.0]), np.zeros(3), 1.0) for x in (1, 2, 3))
        return ActionDeltas(tuple(steps), 0.05, 'commanded')


def test_a_chunk_in_metres_is_passed_on_as_it_is() -> None:
    model = ServerModel([ACTION])

    chunk = predict(PredictMemory(), model, None, observe(7), 'go', 'direct', FRAME)

    assert [delta.translation_m[0] for delta in chunk.deltas] == [1, 2, 3]
    assert (chunk.step_s, chunk.reference, chunk.image_stamp_ns) == (0.05, 'commanded', 7)


def test_tokens_without_statistics_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match='needs its action statistics'):
        predict(PredictMemory(), ScriptedModel([ACTION]), None, observe(), 'go', 'direct', FRAME)


class Watching(ScriptedModel):
    """Remembers what it was shown."""

    def __init__(self) -> None:
        super().__init__([ACTION], [TRACE])
        self.shown: list[np.ndarray] = []
        self.traced = 0

    def generate_action(self, image_rgb, instruction, state):
        self.shown.append(image_rgb)
        return super().generate_action(image_rgb, instruction, state)

    def generate_trace(self, image_rgb, instruction, state, marks=None):
        self.traced += 1
        return super().generate_trace(image_rgb, instruction, state, marks)


def test_a_path_is_drawn_once_and_into_every_picture_of_the_policy() -> None:
    model, memory = Watching(), PredictMemory()
    first, second = observe(1), observe(2, observe().image.rgb[::-1].copy())

    for observation in (first, second):
        chunk = predict(memory, model, STATISTICS, observation, 'go', 'direct', FRAME, True)

    assert model.traced == 1
    assert memory.traces == [TRACE]
    assert chunk.source == 'direct'
    for shown, seen in zip(model.shown, (first, second), strict=True):
        changed = (shown != seen.image.rgb).any(axis=2)
        assert changed[24, 32]  # the end of the path, where the gripper closes
        assert 0 < changed.mean() < 0.5
    ask(model, first)
    assert model.shown[-1] is first.image.rgb  # without it the model sees the picture as it is


def test_no_path_to_draw_is_an_error() -> None:
    with pytest.raises(ModelError, match='no path'):
        predict(
            PredictMemory(),
            ScriptedModel([ACTION]),
            STATISTICS,
            observe(),
            'go',
            'direct',
            FRAME,
            True,
        )
