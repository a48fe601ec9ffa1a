from __future__ import annotations

from pathlib import Path

import onnxruntime
import pytest

from magma_ros.errors import ConfigurationError, EnvironmentMissing, ModelError
from magma_ros.model.backends.onnx_session import choose_providers, open_session
from magma_ros.resources import asset_path

CPU = 'CPUExecutionProvider'
CUDA = 'CUDAExecutionProvider'
TENSORRT = 'TensorrtExecutionProvider'


def test_the_cpu_always_comes_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, 'get_available_providers', lambda: [TENSORRT, CUDA, CPU])
    assert choose_providers(['cpu']) == [CPU]
    assert choose_providers(['cuda']) == [CUDA, CPU]
    assert choose_providers(['tensorrt', 'cuda', 'cpu']) == [TENSORRT, CUDA, CPU]


@pytest.mark.parametrize('wanted', ['cuda', 'npu', CPU])
def test_a_provider_that_is_not_there(monkeypatch: pytest.MonkeyPatch, wanted: str) -> None:
    monkeypatch.setattr(onnxruntime, 'get_available_providers', lambda: ['Azure', CPU])
    with pytest.raises(ConfigurationError, match=rf"'{wanted}' is not .* has \['cpu'\]"):
        choose_providers([wanted])


def test_a_provider_that_does_not_start() -> None:
    # A build for CUDA without its libraries: onnxruntime warns and goes on with the CPU.
    with (
        pytest.warns(UserWarning, match=CUDA),
        pytest.raises(EnvironmentMissing, match=f'{CUDA} did not start'),
    ):
        open_session(asset_path('nano') / 'vision.onnx', [CUDA, CPU], threads=1)


@pytest.mark.parametrize('content', [b'', b'not a model'])
def test_damaged_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / 'decoder.onnx'
    path.write_bytes(content or (asset_path('nano') / 'decoder.onnx').read_bytes()[:5000])
    with pytest.raises(ModelError, match=r'decoder.onnx cannot be opened.*export'):
        open_session(path, [CPU], threads=1)
