from __future__ import annotations

import shutil
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('transformers')
pytest.importorskip('onnxscript')

from small_model import SMALL  # noqa: E402

from magma_ros.errors import ConfigurationError, InstructionError, ModelError  # noqa: E402
from magma_ros.image.image_preparation import prepare_image  # noqa: E402
from magma_ros.model.backends.onnx_model import (  # noqa: E402
    exported_files,
    load_onnx_model,
    open_network,
)
from magma_ros.model.backends.torch_model import load_torch_model  # noqa: E402
from magma_ros.model.backends.torch_network import TorchNetwork  # noqa: E402
from magma_ros.model.decoding import DecodingSettings  # noqa: E402
from magma_ros.model.network.magma import MagmaForAction  # noqa: E402
from magma_ros.model.weights import onnx_weights  # noqa: E402
from magma_ros.model.weights.checkpoint import load_checkpoint  # noqa: E402
from magma_ros.model.weights.checksum import find_damage  # noqa: E402
from magma_ros.model.weights.export_onnx import (  # noqa: E402
    ExportSettings,
    estimate_bytes,
    export_checkpoint,
    export_onnx,
    tensors_by_name,
)
from magma_ros.model.weights.onnx_graphs import Decoder  # noqa: E402
from magma_ros.model.weights.onnx_weights import (  # noqa: E402
    INT8_BLOCK,
    INT8_ZERO,
    pack_blocks,
    scale_blocks,
)

pytestmark = pytest.mark.torch
Export = Callable[[str], Path]
GREEDY = DecodingSettings(rule='greedy', max_text_tokens=12)
# Of the largest logit.
TOLERANCES = {'fp32': 1e-5, 'fp16': 3e-3, 'int8-blocks': 5e-2}


def random_picture(seed: int, height_px: int = 480, width_px: int = 640) -> np.ndarray:
    blocks = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return np.kron(blocks, np.ones((height_px // 8, width_px // 8, 1), dtype=np.uint8))


def test_answers_are_those_of_torch(small_checkpoint: Path, export_small: Export) -> None:
    in_torch = load_torch_model(small_checkpoint, prepare_image, GREEDY)
    in_onnx = load_onnx_model(export_small('fp32'), prepare_image, GREEDY)
    actions = set()
    for seed in range(10):
        picture = random_picture(seed)
        expected = in_torch.generate_action(picture, 'pick coke can', None)
        found = in_onnx.generate_action(picture, 'pick coke can', None)
        assert found.ids == expected.ids
        actions.add(found.ids)
    assert len(actions) > 1
    # One, two beside each other, two above each other and four crops.
    texts = set()
    for height_px, width_px in ((64, 64), (64, 128), (128, 64), (128, 128)):
        picture = random_picture(1, height_px, width_px)
        text = in_torch.answer(picture, 'what is it?')
        assert in_onnx.answer(picture, 'what is it?') == text
        texts.add(text)
    assert len(texts) > 1
    picture = random_picture(2)
    trace = in_torch.generate_trace(picture, 'pick coke can', None)
    assert in_onnx.generate_trace(picture, 'pick coke can', None).text == trace.text


@pytest.mark.parametrize('grid', [(1, 1), (2, 2), (1, 3)])
def test_crops_are_assembled_as_in_torch(
    small_checkpoint: Path, export_small: Export, grid: tuple[int, int]
) -> None:
    shape = (grid[0] * grid[1], 3, 64, 64)
    pixels = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    expected = TorchNetwork(load_checkpoint(small_checkpoint)).encode_image(pixels, grid)
    found = open_network(export_small('fp32'), SMALL).encode_image(pixels, grid)
    assert found.shape == (SMALL.visual_tokens(grid), 64)
    assert found == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize('precision', TOLERANCES)
def test_logits_are_within_the_tolerance(
    small_checkpoint: Path, export_small: Export, precision: str
) -> None:
    prompt = np.random.default_rng(1).standard_normal((50, 64)).astype(np.float32)
    choices = np.array([0, 255, 128, 3, 77, 200])
    in_torch = TorchNetwork(load_checkpoint(small_checkpoint))
    in_onnx = open_network(export_small(precision), SMALL)
    (expected, score), (found, score_in_onnx) = (
        network.begin_action(prompt) for network in (in_torch, in_onnx)
    )
    expected = np.vstack([expected, score(choices)])
    found = np.vstack([found, score_in_onnx(choices)])
    error = np.abs(found - expected).max() / np.abs(expected).max()
    assert 0 < error < TOLERANCES[precision]


def test_int8_is_smaller_and_fp16_half_the_size(export_small: Export) -> None:
    size = {name: (export_small(name) / 'decoder.onnx').stat().st_size for name in TOLERANCES}
    size['fp32'] += (export_small('fp32') / 'decoder.onnx.data').stat().st_size
    assert size['int8-blocks'] < 0.8 * size['fp32']
    assert size['fp16'] < 0.7 * size['fp32']
    assert find_damage(export_small('fp32')) == ()


def test_a_window_equals_steps_and_a_second_prompt_starts_afresh(export_small: Export) -> None:
    network = open_network(export_small('fp32'), SMALL)
    prompt = np.random.default_rng(2).standard_normal((30, 64)).astype(np.float32)
    base = SMALL.vocabulary.base_size
    choices = np.array([9, 8, 7, 6, 5, 4])
    for _ in range(2):
        first, score = network.begin_action(prompt)
        window = score(choices)
        assert score(choices) == pytest.approx(window, abs=0)
        logits, cache = network.decode(prompt, None)
        assert logits[base - 256 : base] == pytest.approx(first, abs=1e-4)
        for place, choice in enumerate(choices):
            logits, cache = network.decode(network.embed([base - 256 + choice]), cache)
            assert logits[base - 256 : base] == pytest.approx(window[place], abs=1e-4)


def test_a_sequence_longer_than_the_model_reads(export_small: Export) -> None:
    network = open_network(export_small('fp32'), SMALL)
    _, cache = network.decode(np.zeros((400, 64), dtype=np.float32), None)
    with pytest.raises(InstructionError, match='more than the 400 tokens'):
        network.decode(np.zeros((1, 64), dtype=np.float32), cache)


@pytest.mark.parametrize('int8_layers', [0, 1])
def test_weights_are_read_when_they_are_written(
    trace_once: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, int8_layers: int
) -> None:
    """All of them together would take the model's memory again."""
    read = []

    class NotedTensor(onnx_weights.TorchTensor):
        def __init__(self, tensor: torch.Tensor, name: str) -> None:
            read.append(tensor.numel())
            super().__init__(tensor, name)

    monkeypatch.setattr(onnx_weights, 'TorchTensor', NotedTensor)
    graph = trace_once(Decoder, SMALL, torch.float32)
    onnx_weights.bind_weights(graph, tensors_by_name(MagmaForAction(SMALL)), int8_layers)
    assert max(read) <= 1024  # up to here duplicates are looked for
    weights = [value.const_value for value in graph.graph.initializers.values()]
    assert sum(weight.nbytes for weight in weights) > 100_000


def test_blocks_are_rounded_to_the_nearest() -> None:
    weight = torch.randn(6, 4 * INT8_BLOCK, generator=torch.Generator().manual_seed(0))
    weight[2, :INT8_BLOCK] = 0.0
    packed, scales = pack_blocks(weight), scale_blocks(weight)
    again = (packed.float() - INT8_ZERO) * scales[..., None]
    error = (again - weight.unflatten(1, (-1, INT8_BLOCK))).abs()
    assert bool((error <= scales[..., None] * 0.5001).all())
    assert int(packed.max()) == 255
    assert bool((again[2, 0] == 0.0).all())


@pytest.mark.parametrize('precision', TOLERANCES)
def test_no_graph_says_where_it_was_made(export_small: Export, precision: str) -> None:
    for path in export_small(precision).glob('*.onnx'):
        content = path.read_bytes()
        assert b'.py' not in content
        assert str(Path.home()).encode() not in content


def test_actions_only(export_small: Export) -> None:
    model = load_onnx_model(export_small('int8-blocks'), prepare_image, GREEDY)
    assert len(model.generate_action(random_picture(0), 'pick coke can', None).ids) == 7
    with pytest.raises(ModelError, match='--logits all'):
        model.answer(random_picture(0), 'what is it?')


def test_data_files_are_part_of_the_model(export_small: Export, tmp_path: Path) -> None:
    copy = tmp_path / 'copy'
    shutil.copytree(export_small('fp32'), copy)
    assert {'decoder.onnx.data', 'head.onnx', 'vision.onnx.data'} <= {
        path.name for path in exported_files(copy)
    }
    data = copy / 'decoder.onnx.data'
    content = data.read_bytes()
    data.write_bytes(content[:-1] + b'x')
    with pytest.raises(ModelError, match='damaged .*decoder.onnx.data'):
        load_onnx_model(copy, prepare_image)
    (copy / 'SHA256SUMS').unlink()
    sha256 = load_onnx_model(copy, prepare_image).identity.sha256
    assert sha256 != load_onnx_model(export_small('fp32'), prepare_image).identity.sha256
    data.write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError, match='decoder.onnx cannot be opened'):
        load_onnx_model(copy, prepare_image)
    data.unlink()
    with pytest.raises(ModelError, match='decoder.onnx.data'):
        load_onnx_model(copy, prepare_image)


def test_parts_of_different_exports(export_small: Export, tmp_path: Path) -> None:
    copy = tmp_path / 'copy'
    shutil.copytree(export_small('int8-blocks'), copy)
    (copy / 'SHA256SUMS').unlink()
    graph = (copy / 'vision.onnx').read_bytes()
    (copy / 'vision.onnx').write_bytes(
        graph.replace(b'magma_layout\x12\x012', b'magma_layout\x12\x019')
    )
    with pytest.raises(ModelError, match='layout 2 and 9'):
        load_onnx_model(copy, prepare_image)


@pytest.mark.parametrize('precision', ['fp32', 'int8-blocks'])
def test_the_estimate_is_near(export_small: Export, precision: str) -> None:
    logits = 'action' if precision == 'int8-blocks' else 'all'
    estimate = estimate_bytes(SMALL, ExportSettings(precision, logits))
    size = sum(path.stat().st_size for path in exported_files(export_small(precision)))
    assert estimate < size < estimate + 300_000  # graphs and tokenizer


def test_folders_and_disks_that_do_not_do(
    small_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigurationError, match='is not empty'):
        export_checkpoint(small_checkpoint, small_checkpoint)
    usage = namedtuple('usage', 'total used free')
    monkeypatch.setattr(shutil, 'disk_usage', lambda _: usage(10**9, 10**9, 1000))
    with pytest.raises(ConfigurationError, match='0 MB free'):
        export_checkpoint(small_checkpoint, tmp_path / 'new')
    with pytest.raises(ConfigurationError, match="precision 'int3'.*int8"):
        ExportSettings('int3')


def test_a_quantised_model_is_refused(small_checkpoint: Path, tmp_path: Path) -> None:
    model = load_checkpoint(small_checkpoint, quantise='int8')
    with pytest.raises(ModelError, match='is quantised'):
        export_onnx(model, small_checkpoint / 'tokenizer.json', tmp_path)
    assert list(tmp_path.iterdir()) == []
