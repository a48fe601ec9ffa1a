from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('transformers')

from magma_ros.data_types import ArmState, Pose  # noqa: E402
from magma_ros.errors import InstructionError, ModelError  # noqa: E402
from magma_ros.image.image_preparation import prepare_image  # noqa: E402
from magma_ros.model.action_tokens import decode_action  # noqa: E402
from magma_ros.model.backends.onnx_model import load_onnx_model  # noqa: E402
from magma_ros.model.backends.torch_model import load_torch_model  # noqa: E402
from magma_ros.model.network.magma_config import MAGMA_NANO  # noqa: E402
from magma_ros.model.prompted_model import DecodingSettings, PromptedModel  # noqa: E402
from magma_ros.model.text.text_tokenizer import load_tokenizer  # noqa: E402
from magma_ros.resources import asset_path  # noqa: E402
from magma_ros.rotations import DOWN  # noqa: E402

pytestmark = pytest.mark.torch
GREEDY = DecodingSettings(rule='greedy', max_text_tokens=12)


@pytest.fixture(scope='module')
def folder() -> Path:
    return asset_path('nano')


def random_picture(seed: int) -> np.ndarray:
    """Blocks of colour: unlike noise they survive the resize."""
    blocks = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.kron(blocks, np.ones((80, 80, 1), dtype=np.uint8))


def arm_state(x_m: float) -> ArmState:
    pose = Pose(np.array([x_m, 0.0, 0.1]), DOWN.as_quat())
    return ArmState(np.zeros(6), np.zeros(6), pose, 1.0, 0)


def test_onnx_gives_the_ids_of_torch(folder: Path) -> None:
    in_torch = load_torch_model(folder, prepare_image, GREEDY)
    in_onnx = load_onnx_model(folder, prepare_image, GREEDY)
    answers = set()
    for seed in range(100):
        picture, state = random_picture(seed), arm_state(0.12 + 0.003 * seed)
        expected = in_torch.generate_action(picture, 'pick up the red cube', state)
        found = in_onnx.generate_action(picture, 'pick up the red cube', state)
        assert found.ids == expected.ids
        assert found.probabilities == pytest.approx(expected.probabilities, rel=1e-2)
        answers.add(found.ids)
    assert len(answers) > 20


def test_traces_of_onnx_are_those_of_torch(folder: Path) -> None:
    models = [load(folder, prepare_image, GREEDY) for load in (load_torch_model, load_onnx_model)]
    expected, found = (
        model.generate_trace(random_picture(0), 'pick up the red cube', arm_state(0.3)).text
        for model in models
    )
    assert found == expected
    assert found.startswith('Mark 1 at [')


@pytest.fixture(scope='module')
def model(folder: Path) -> PromptedModel:
    return load_onnx_model(folder, prepare_image, DecodingSettings(rule='sample', seed=5))


def test_action_answer(model: PromptedModel) -> None:
    answer = model.generate_action(random_picture(0), 'grab the blue bowl', None)
    assert len(answer.ids) == 7
    assert answer.normalised == pytest.approx(decode_action(answer.ids, 1024))
    probabilities = np.array(answer.probabilities)
    assert probabilities.shape == (7,)
    assert np.all((probabilities > 0) & (probabilities <= 1))


def test_reset_repeats_the_samples(model: PromptedModel) -> None:
    def ask() -> tuple[int, ...]:
        return model.generate_action(random_picture(0), 'grab the blue bowl', None).ids

    model.reset()
    first, second = ask(), ask()
    model.reset()
    assert (ask(), ask()) == (first, second)
    assert first != second


def test_state_and_instruction_matter(folder: Path) -> None:
    greedy = load_onnx_model(folder, prepare_image, GREEDY)
    picture = random_picture(0)
    probabilities = {
        str(greedy.generate_action(picture, sentence, state).probabilities)
        for sentence in ('grab the blue bowl', 'push the red cube')
        for state in (None, arm_state(0.2), arm_state(0.4))
    }
    assert len(probabilities) == 6


def test_capitals_do_not_matter_for_actions(folder: Path) -> None:
    greedy = load_onnx_model(folder, prepare_image, GREEDY)
    answers = [
        greedy.generate_action(random_picture(0), sentence, None)
        for sentence in ('grab the blue bowl', ' Grab the BLUE bowl ')
    ]
    assert answers[0].ids == answers[1].ids


class _TraceNetwork:
    """Says a given text, whatever it is asked."""

    def __init__(self, ids: list[int]) -> None:
        self._ids = [*ids, MAGMA_NANO.vocabulary.end_of_turn]

    def encode_image(self, pixels: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
        return np.zeros((72, 1), dtype=np.float32)

    def embed(self, ids: Sequence[int]) -> np.ndarray:
        return np.zeros((len(ids), 1), dtype=np.float32)

    def decode(self, embeddings: np.ndarray, cache: int | None) -> tuple[np.ndarray, int]:
        step = 0 if cache is None else cache
        logits = np.zeros(MAGMA_NANO.vocabulary.rows, dtype=np.float32)
        logits[self._ids[step]] = 1.0
        return logits, step + 1


def test_trace_comes_in_pixels_of_the_picture(tokenizer_json: Path, model: PromptedModel) -> None:
    tokenizer = load_tokenizer(tokenizer_json)
    text = (
        'Mark 1 at [128,64] should be moved, and their future positions are:\n\n'
        '"Mark 1": "[[64,128],<action>Close Gripper</action>]"\n\n'
    )
    network = _TraceNetwork(tokenizer.encode_text(text))
    says = PromptedModel(model.identity, MAGMA_NANO, network, tokenizer, prepare_image)
    answer = says.generate_trace(random_picture(0), 'grab the blue bowl', None)
    assert answer.text == text
    assert answer.traces[0].start_px == pytest.approx([320.0, 120.0])
    assert answer.traces[0].points_px == pytest.approx(np.array([[160.0, 240.0]]))


def test_unusable_questions(model: PromptedModel, tokenizer_json: Path) -> None:
    with pytest.raises(InstructionError):
        model.generate_action(random_picture(0), '', None)


def test_identity_follows_the_files(folder: Path, tmp_path: Path, model: PromptedModel) -> None:
    copy = tmp_path / 'copy'
    shutil.copytree(folder, copy)
    (copy / 'SHA256SUMS').unlink()
    assert load_onnx_model(copy, prepare_image).identity == model.identity
    (copy / 'config.json').write_text((copy / 'config.json').read_text() + '\n')
    assert load_onnx_model(copy, prepare_image).identity.sha256 != model.identity.sha256


def test_missing_damaged_and_foreign_files(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / 'copy'
    shutil.copytree(folder, copy)
    (copy / 'SHA256SUMS').unlink()
    config = (copy / 'config.json').read_text()
    (copy / 'config.json').write_text(config.replace('"rows": 1033', '"rows": 1040'))
    with pytest.raises(ModelError, match=r'\(1033, 128\).*\(1040, 128\)'):
        load_onnx_model(copy, prepare_image)
    (copy / 'decoder.onnx').write_bytes(b'not a model')
    with pytest.raises(ModelError, match='decoder.onnx cannot be opened'):
        load_onnx_model(copy, prepare_image)
    (copy / 'decoder.onnx').unlink()
    with pytest.raises(ModelError, match=r"lacks \['decoder.onnx'\]"):
        load_onnx_model(copy, prepare_image)
