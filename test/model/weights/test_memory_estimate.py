from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('transformers')

from magma_ros.errors import (  # noqa: E402
    ConfigurationError,
    EnvironmentMissing,
    ModelError,
)
from magma_ros.model.network.magma_config import MAGMA_8B  # noqa: E402
from magma_ros.model.weights.device_memory import choose_device, free_main_memory  # noqa: E402
from magma_ros.model.weights.memory_estimate import (  # noqa: E402
    estimate_memory,
    require_memory,
)
from magma_ros.model.weights.tensor_shapes import expected_shapes  # noqa: E402

pytestmark = pytest.mark.torch
GOLDEN = json.loads((Path(__file__).parents[2] / 'golden' / 'checkpoint.json').read_text())
CACHE_BYTES_PER_TOKEN = 131_072  # 32 layers, 8 heads of 128, keys and values, 2 bytes


@pytest.fixture(scope='module')
def shapes() -> dict[str, tuple[int, ...]]:
    return expected_shapes(MAGMA_8B)


def test_weights_of_8b(shapes: dict[str, tuple[int, ...]]) -> None:
    assert estimate_memory(MAGMA_8B, shapes, 'bf16').weights == GOLDEN['bytes_2_per_parameter']
    assert estimate_memory(MAGMA_8B, shapes, 'fp32').weights == 35_612_265_984
    linear = 6_979_588_096 - 65 * 4096
    rest = 2 * (GOLDEN['parameters']['total'] - linear)
    int8 = estimate_memory(MAGMA_8B, shapes, 'bf16', 'int8').weights
    int4 = estimate_memory(MAGMA_8B, shapes, 'bf16', 'int4').weights
    assert int8 - rest == pytest.approx(linear, rel=0.001)
    assert int4 - rest == pytest.approx(linear * (0.5 + 4 / 64))


def test_cache_holds_the_longest_prompt(shapes: dict[str, tuple[int, ...]]) -> None:
    # 4 crops below each other: 64 rows of 16 cells and a separator.
    tokens = 64 * 17 + 512
    assert estimate_memory(MAGMA_8B, shapes, 'bf16').cache == tokens * CACHE_BYTES_PER_TOKEN


def test_8b_in_bf16_is_expected_to_fit_24_gb(shapes: dict[str, tuple[int, ...]]) -> None:
    assert 18.5e9 < estimate_memory(MAGMA_8B, shapes, 'bf16').total < 20e9


def test_too_little_memory_names_what_would_fit(shapes: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(ModelError) as caught:
        require_memory(MAGMA_8B, shapes, 'bf16', None, 'cuda', free_bytes=10 * 10**9)
    text = str(caught.value)
    assert 'magma-8b in bf16 needs 18.9 GB on cuda (weights 17.8 GB, ' in text
    assert '10.0 GB are free' in text
    assert 'int8 needs 11.9 GB (does not fit either), int4 needs 8.9 GB (fits)' in text


def test_what_is_already_small_is_not_advised_again(shapes: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(ModelError) as caught:
        require_memory(MAGMA_8B, shapes, 'bf16', 'int4', 'cpu', free_bytes=10**9)
    assert 'magma-8b in int4 needs' in str(caught.value)
    assert 'quantise' not in str(caught.value)


def test_enough_memory(shapes: dict[str, tuple[int, ...]]) -> None:
    needed = estimate_memory(MAGMA_8B, shapes, 'fp16', 'int8')
    args = (MAGMA_8B, shapes, 'fp16', 'int8', 'cpu')
    assert require_memory(*args, free_bytes=needed.total) == needed
    with pytest.raises(ModelError):
        require_memory(*args, free_bytes=needed.total - 1)


def test_free_memory_within_a_container(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentMissing, match='meminfo'):
        free_main_memory(tmp_path)
    (tmp_path / 'proc').mkdir()
    meminfo = tmp_path / 'proc' / 'meminfo'
    meminfo.write_text('MemTotal: 900 kB\nMemFree: 5 kB\nMemAvailable:   700 kB\n')
    assert free_main_memory(tmp_path) == 700 * 1024

    group = tmp_path / 'sys' / 'fs' / 'cgroup'
    group.mkdir(parents=True)
    (group / 'memory.max').write_text('max\n')
    assert free_main_memory(tmp_path) == 700 * 1024
    (group / 'memory.max').write_text('500000\n')
    (group / 'memory.current').write_text('300000\n')
    (group / 'memory.stat').write_text('anon 200000\nfile 100000\nfile_mapped 7\n')
    assert free_main_memory(tmp_path) == 300_000
    (group / 'memory.current').write_text('900000\n')
    assert free_main_memory(tmp_path) == 0


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 0)
    assert choose_device() == choose_device('cpu') == 'cpu'
    with pytest.raises(EnvironmentMissing, match='sees 0 CUDA devices'):
        choose_device('cuda')
    with pytest.raises(ConfigurationError, match=r'choose auto, cpu, cuda, or cuda:<number>'):
        choose_device('gpu')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 2)
    assert choose_device() == 'cuda'
    assert choose_device('cuda:1') == 'cuda:1'
    with pytest.raises(EnvironmentMissing, match='cuda:2 is not there'):
        choose_device('cuda:2')
