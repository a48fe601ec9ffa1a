from __future__ import annotations

import pytest

torch = pytest.importorskip('torch')
transformers = pytest.importorskip('transformers')

from magma_ros.model.network.magma import MagmaForAction  # noqa: E402
from magma_ros.model.network.magma_config import MAGMA_NANO  # noqa: E402
from magma_ros.model.network.static_cache import StaticCache  # noqa: E402

pytestmark = pytest.mark.torch
CPU = torch.device('cpu')


@pytest.fixture(scope='module')
def model() -> MagmaForAction:
    torch.manual_seed(0)
    return MagmaForAction(MAGMA_NANO).eval()


@torch.inference_mode()
def test_equals_the_cache_of_transformers_and_grows(model: MagmaForAction) -> None:
    ours = StaticCache(MAGMA_NANO.decoder, torch.float32, CPU, batch=2, capacity=8)
    stock = transformers.DynamicCache()
    for length in (5, 1, 7, 300, 1):
        rows = torch.randn(2, length, 128)
        found = model.hidden_states(rows, cache=ours)
        expected = model.hidden_states(rows, cache=stock)  # type: ignore[arg-type]
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    assert ours.length == 314
    assert ours.capacity == 512


@torch.inference_mode()
def test_rewinding_forgets(model: MagmaForAction) -> None:
    cache = model.empty_cache()
    prompt, wrong, right = (torch.randn(1, n, 128) for n in (9, 4, 4))
    model.hidden_states(prompt, cache=cache)
    memory = cache._memory.data_ptr()
    model.hidden_states(wrong, cache=cache)
    cache.rewind(9)
    found = model.hidden_states(right, cache=cache)
    cache.rewind(0)
    whole = model.hidden_states(torch.cat([prompt, right], dim=1), cache=cache)
    torch.testing.assert_close(found, whole[:, 9:], atol=1e-5, rtol=1e-5)
    assert cache._memory.data_ptr() == memory
    with pytest.raises(ValueError, match='there are 13'):
        cache.rewind(14)
