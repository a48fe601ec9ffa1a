"""Opens ONNX files with onnxruntime on the processors asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as onnx_errors

from magma_ros.errors import ConfigurationError, EnvironmentMissing, ModelError

PROVIDERS = {
    'tensorrt': 'TensorrtExecutionProvider',
    'cuda': 'CUDAExecutionProvider',
    'cpu': 'CPUExecutionProvider',
}
ONNX_ERRORS = (
    onnx_errors.Fail,
    onnx_errors.InvalidArgument,
    onnx_errors.InvalidGraph,
    onnx_errors.InvalidProtobuf,
    onnx_errors.NoSuchFile,
    onnx_errors.NotImplemented,
    onnx_errors.RuntimeException,
)


def choose_providers(wanted: Sequence[str]) -> list[str]:
    """The wanted providers as onnxruntime names them, in their order, and the CPU as the last.

    Args:
        wanted: keys of ``PROVIDERS``. What the first cannot run, the next one does.

    Raises:
        ConfigurationError: one is unknown, or this onnxruntime was built without it.
    """
    built = onnxruntime.get_available_providers()
    available = [name for name, provider in PROVIDERS.items() if provider in built]
    for name in wanted:
        if name not in available:
            raise ConfigurationError(
                f'provider {name!r} is not available: this onnxruntime has {available}. '
                'Choose one of these, or install onnxruntime-gpu for cuda and tensorrt'
            )
    return [PROVIDERS[name] for name in dict.fromkeys([*wanted, 'cpu'])]


def open_session(
    path: Path, providers: Sequence[str], threads: int
) -> onnxruntime.InferenceSession:
    """A session for a file.

    Args:
        path: an ``.onnx`` file, with its ``.data`` file beside it if it has one.
        providers: from :func:`choose_providers`.
        threads: of the CPU.

    Raises:
        ModelError: the file or its data is missing or damaged.
        EnvironmentMissing: the first provider did not start.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning threads would take the core the control loop needs.
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=list(providers))
    except ONNX_ERRORS as error:
        raise ModelError(
            f'{path} cannot be opened: {error}; copy it again (with {path.name}.data, if the '
            'model has that), or export the model again'
        ) from error
    if session.get_providers()[0] != providers[0]:
        raise EnvironmentMissing(
            f'{providers[0]} did not start and onnxruntime went on with '
            f'{session.get_providers()}: install the driver and the CUDA libraries it was built '
            'for, or choose the provider cpu'
        )
    return session
