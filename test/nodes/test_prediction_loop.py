"""Which pictures are looked at, and what is said about those that are of no use."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('rclpy')

from magma_ros.data_types import (  # noqa: E402
    ArmState,
    CameraImage,
    CameraModel,
    Observation,
    Pose,
)
from magma_ros.errors import ArmError, ModelError  # noqa: E402
from magma_ros.latest_value import LatestValue  # noqa: E402
from magma_ros.model.action_model import ModelIdentity  # noqa: E402
from magma_ros.model.action_scaling import load_statistics  # noqa: E402
from magma_ros.model.backends.scripted_model import ScriptedModel  # noqa: E402
from magma_ros.motion.reason_codes import Reason  # noqa: E402
from magma_ros.nodes.model_worker_answers import LoadedModel  # noqa: E402
from magma_ros.nodes.model_worker_queue import Reply  # noqa: E402
from magma_ros.nodes.perception_inputs import Arrival  # noqa: E402
from magma_ros.nodes.perception_timing import PerceptionTiming  # noqa: E402
from magma_ros.nodes.prediction_loop import LookSettings, PredictionLoop  # noqa: E402
from magma_ros.ros.camera_messages import image_to_message  # noqa: E402

NOWHERE = Pose(np.zeros(3), np.eye(4)[3])
CAMERA = CameraModel(64, 48, 60.0, 60.0, 32.0, 24.0, NOWHERE)
START_NS = 10**15
POSE = Pose(np.array([0.3, 0.0, 0.1]), np.array([1.0, 0.0, 0.0, 0.0]))


class Inputs:
    def __init__(self) -> None:
        self.pictures: LatestValue[Arrival] = LatestValue()
        self.instructions: LatestValue[str] = LatestValue()
        self.error: Exception | None = None

    def observe(self, image: CameraImage) -> Observation:
        if self.error is not None:
            raise self.error
        arm = ArmState(np.zeros(6), np.zeros(6), POSE, 1.0, image.stamp_ns)
        return Observation(image, arm, CAMERA, lambda: pytest.fail('no depth is needed'))


class Worker:
    """A worker that answers at once."""

    def __init__(self) -> None:
        self.model = ScriptedModel([[0.0] * 7])
        self.loaded = LoadedModel(ModelIdentity('m', '0'), load_statistics('magma_nano_sim'))
        self.error: Exception | None = None
        self.resets = 0

    def ask(self, kind, image_rgb, text, state=None, marks=None) -> Reply:
        if self.error is not None:
            raise self.error
        return Reply(self.model.generate_action(image_rgb, text, state), 0.001, 0.002)

    def reset(self) -> None:
        self.resets += 1


class Bench:
    def __init__(self, **settings) -> None:
        self.inputs, self.worker, self.published = Inputs(), Worker(), []
        self.timing = PerceptionTiming()
        self.loop = PredictionLoop(
            self.worker,
            self.inputs,
            LookSettings('direct', 'base', **settings),
            self.timing,
            lambda: START_NS,
            self.published.append,
            lambda: None,
        )
        self.inputs.instructions.put('go', 0.0)

    def show(self, at_s: float, stamp_s: float | None = None, seed: int | None = None, **changes):
        """A picture that comes at a time; its condition."""
        noise = np.random.default_rng(round(at_s * 1000) if seed is None else seed)
        rgb = noise.integers(0, 255, (48, 64, 3), dtype=np.uint8)
        stamp_ns = START_NS + round((at_s if stamp_s is None else stamp_s) * 1e9)
        message = image_to_message(CameraImage(rgb, stamp_ns, 'camera'))
        for name, value in changes.items():
            setattr(message, name, value)
        self.loop.take(Arrival(message, START_NS + round(at_s * 1e9), at_s))
        return self.loop.condition


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize(('rate_hz', 'looks'), [(30.0, 16), (15.0, 16), (5.0, 15), (60.0, 16)])
def test_five_pictures_a_second_are_enough(bench, rate_hz, looks) -> None:
    for number in range(round(3 * rate_hz)):
        bench.show(1.0 + number / rate_hz)

    stamps = [prediction.chunk.image_stamp_ns for prediction in bench.published]
    assert looks - 1 <= len(stamps) <= looks
    assert stamps == sorted(set(stamps))


def test_a_picture_counts_once_and_in_order(bench) -> None:
    bench.show(1.0)
    bench.show(1.3, stamp_s=1.0)
    bench.show(1.6, stamp_s=0.9)
    bench.show(1.9)

    stamps = [prediction.chunk.image_stamp_ns for prediction in bench.published]
    assert stamps == [START_NS + 10**9, START_NS + 1_900_000_000]
    assert bench.timing.values(2.0)['out_of_order'] == '2'


def test_every_chunk_knows_its_picture_and_times(bench) -> None:
    condition = bench.show(1.0)

    assert (condition.text, condition.fault, condition.is_ok) == ('doing "go"', None, True)
    values = bench.timing.values(1.1)
    assert (values['prepare_ms'], values['infer_ms'], values['acted']) == ('1.00', '2.00', '1')
    assert {'receive_ms', 'wait_ms', 'check_ms', 'decode_ms', 'publish_ms'} < set(values)


@pytest.mark.parametrize(
    ('changes', 'reason'),
    [
        ({'encoding': 'bayer_rggb8'}, Reason.CAMERA_FORMAT),
        ({'step': 5}, Reason.CAMERA_FORMAT),
        ({'data': b'short'}, Reason.CAMERA_FORMAT),
        ({'width': 0, 'height': 0, 'step': 0, 'data': b''}, Reason.CAMERA_FORMAT),
        ({'width': 20_000, 'height': 20_000, 'step': 60_000}, Reason.CAMERA_FORMAT),
        ({'width': 32, 'step': 96, 'height': 96}, Reason.CAMERA_FORMAT),
        ({'data': bytes(64 * 48 * 3)}, Reason.CAMERA_DARK),
        ({'data': b'\xff' * (64 * 48 * 3)}, Reason.CAMERA_DARK),
        ({'stamp_s': 3.0}, Reason.CAMERA_STAMP),
        ({'stamp_s': -2.0}, Reason.CAMERA_STALE),
    ],
)
def test_pictures_of_no_use_have_a_reason_and_the_next_good_one_is_used(
    bench, changes, reason
) -> None:
    condition = bench.show(1.0, **changes)

    assert (condition.fault, condition.is_ok) == (reason, False)
    assert condition.text.startswith(reason.name)
    assert not bench.published
    if 'stamp_s' not in changes:
        assert bench.show(2.0).is_ok
        assert bench.timing.values(2.0)['refused'] == '1'


def test_frozen_pixels_and_another_camera() -> None:
    bench = Bench(camera_frame='camera')
    for at_s in (1.0, 1.25):
        assert bench.show(at_s, seed=1).is_ok
    assert bench.show(1.6, seed=1).fault is Reason.CAMERA_FROZEN
    assert bench.show(1.9, seed=2).is_ok
    assert Bench(camera_frame='wrist').show(1.0).fault is Reason.CAMERA_FRAME
    still = Bench(check_frozen=False)
    assert all(still.show(at_s, seed=1).is_ok for at_s in (1.0, 1.5, 2.0))


def test_errors_of_arm_and_model_are_said(bench) -> None:
    bench.inputs.error = ArmError('JOINTS_STALE: nothing came')
    assert bench.show(1.0).fault is Reason.JOINTS_STALE
    bench.inputs.error, bench.worker.error = None, ModelError('no path was drawn')
    condition = bench.show(2.0)
    assert (condition.text, condition.fault, condition.is_ok) == ('no path was drawn', None, False)


def test_without_a_sentence_pictures_are_checked_and_nothing_is_asked() -> None:
    bench = Bench()
    bench.inputs.instructions.put('', 0.0)
    assert bench.show(1.0).text == 'waiting for an instruction'
    assert bench.show(2.0, data=bytes(64 * 48 * 3)).fault is Reason.CAMERA_DARK
    bench.inputs.instructions.put('go', 0.0)
    assert bench.show(3.0).text == 'doing "go"'
    assert (len(bench.published), bench.worker.resets) == (1, 2)


def test_sequences_rise_through_all_sentences(bench) -> None:
    for number in range(4):
        bench.inputs.instructions.put(f'go {number}', 0.0)
        bench.show(1.0 + number)

    sequences = [prediction.chunk.sequence for prediction in bench.published]
    assert sequences == list(range(sequences[0], sequences[0] + 4))
