"""What is compiled on a GPU, traced on a CPU: as one graph each, and with the same ids."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('transformers')

from small_model import SMALL  # noqa: E402

from magma_ros.model.action_decoding import ActionDecoder  # noqa: E402
from magma_ros.model.backends.compiled_network import (  # noqa: E402
    BUCKET_TOKENS,
    CompiledNetwork,
)
from magma_ros.model.backends.torch_network import TorchNetwork  # noqa: E402
from magma_ros.model.decoding import DecodingSettings  # noqa: E402
from magma_ros.model.network.magma import MagmaForAction  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.fixture(scope='module')
def networks() -> tuple[TorchNetwork, CompiledNetwork]:
    torch.manual_seed(0)
    model = MagmaForAction(SMALL).eval().requires_grad_(False)
    torch.nn.init.normal_(model.language_model.lm_head.weight, std=0.2)
    return TorchNetwork(model), CompiledNetwork(model, 'eager', mode=None)


def random_prompt(seed: int, length: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((length, 64)).astype(np.float32)


@pytest.mark.parametrize('length', [1, 2, BUCKET_TOKENS, BUCKET_TOKENS + 1, 150])
def test_actions_are_those_of_the_plain_network(networks, length: int) -> None:
    settings = DecodingSettings(rule='greedy')
    plain, compiled = (ActionDecoder(network, 1024, settings) for network in networks)
    for seed in range(3):
        prompt = random_prompt(seed, length)
        assert compiled.decode(prompt).ids == plain.decode(prompt).ids


def test_words_and_a_growing_cache_are_those_of_the_plain_network(networks) -> None:
    logits = []
    for network in networks:
        found, cache = network.decode(random_prompt(1, 500), None)
        logits.append([found])
        for token in range(20):
            found, cache = network.decode(network.embed([token]), cache)
            logits[-1].append(found)
        assert cache.length == 520
    assert np.array(logits[1]) == pytest.approx(np.array(logits[0]), abs=1e-4)


def test_pictures_are_those_of_the_plain_network(networks) -> None:
    for grid in ((1, 1), (2, 2)):
        shape = (grid[0] * grid[1], 3, 64, 64)
        pixels = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
        plain, compiled = (network.encode_image(pixels, grid) for network in networks)
        assert compiled == pytest.approx(plain, abs=1e-5)


def test_prompts_of_a_bucket_share_a_graph(networks) -> None:
    torch._dynamo.reset()  # graphs of the other tests fit too
    traced = []

    def note(graph: torch.fx.GraphModule, _: object) -> object:
        traced.append(graph)
        return graph.forward

    model = networks[0]._model
    compiled = CompiledNetwork(model, note, mode=None)
    decoder = ActionDecoder(compiled, 1024, DecodingSettings(rule='greedy', draft='none'))
    for length in (20, 33, 64):
        decoder.decode(random_prompt(length, length))
    assert len(traced) == 2  # the bucket, and the window behind it wherever it begins
