"""Keys and values of an exported decoder: they stay where they are computed."""

from __future__ import annotations

import math

import numpy as np
from onnxruntime import IOBinding, OrtValue

from magma_ros.errors import InstructionError
from magma_ros.model.network.magma_config import DecoderConfig


class OnnxCache:
    """One buffer each for the keys and values of the longest sequence, on the device.

    The token is the first axis, so that the past is one piece of memory and the next tokens are
    written right behind it. The system gives the pages of a CPU as they are used.
    """

    def __init__(self, decoder: DecoderConfig, dtype: type[np.floating], device: str) -> None:
        """Empty; device is cpu or cuda."""
        self.capacity = decoder.max_position_embeddings
        self.length = 0
        self._dtype = dtype
        self._device = device
        self._token = (decoder.num_hidden_layers, decoder.num_key_value_heads, decoder.head_size)
        self._buffers = {
            name: OrtValue.ortvalue_from_shape_and_type(
                (self.capacity, *self._token), dtype, device, 0
            )
            for name in ('keys', 'values')
        }

    def rewind(self, length: int) -> None:
        """Forget what came after the first ``length`` tokens."""
        self.length = min(self.length, length)

    def bind(self, binding: IOBinding, new_tokens: int) -> None:
        """The past as inputs and the room behind it as outputs; it counts as filled.

        Raises:
            InstructionError: the sequence gets longer than the model can read.
        """
        if self.length + new_tokens > self.capacity:
            raise InstructionError(
                f'prompt and answer have more than the {self.capacity} tokens this model can '
                'read: shorten the instruction, or allow a shorter answer'
            )
        past, new = (self.length, *self._token), (new_tokens, *self._token)
        past_bytes = math.prod(past) * np.dtype(self._dtype).itemsize
        for name, buffer in self._buffers.items():
            start = buffer.data_ptr()
            binding.bind_input(f'past_{name}', self._device, 0, self._dtype, past, start)
            binding.bind_output(
                f'new_{name}', self._device, 0, self._dtype, new, start + past_bytes
            )
        self.length += new_tokens
