"""One action from a camera picture, in parts: the straightforward way and ours (torch)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers import LlamaForCausalLM

from magma_ros.benchmarks.model_slice import Words, choose_greedily
from magma_ros.image.image_preparation import prepare_image
from magma_ros.model.action_decoding import Choices, verify_drafts
from magma_ros.model.action_tokens import ACTION_BINS, ACTION_LENGTH
from magma_ros.model.backends.torch_network import TorchNetwork
from magma_ros.model.network.magma import MagmaForAction, llama_config
from magma_ros.model.network.magma_config import PreprocessorConfig

Float32Array = NDArray[np.float32]


@dataclass(frozen=True)
class StepTimes:
    """Seconds of one action, and what was chosen."""

    prepare_s: float
    vision_s: float
    prefill_s: float
    decode_s: float
    choices: tuple[int, ...]  # 0..255

    @property
    def network_s(self) -> float:
        """Everything that grows with the depth of the model."""
        return self.vision_s + self.prefill_s + self.decode_s

    @property
    def step_s(self) -> float:
        """All of it."""
        return self.prepare_s + self.network_s


def published_preparation(rgb: NDArray[np.uint8], settings: PreprocessorConfig) -> torch.Tensor:
    """(n, 3, base, base), operation by operation as published, without torchvision itself.

    Source: ``magma_model.py`` (Pillow's resize) and ``image_processing_magma.py`` of Magma's
    repository; its ToTensor copies, scales and reorders, its Normalize works on a copy, and the
    crops of all pictures are joined even if there is one.
    """
    size_px, base = settings.robot_size_px, settings.base_img_size
    assert size_px is not None
    small = Image.fromarray(rgb).resize((size_px, size_px), Image.Resampling.BICUBIC)
    pixels = torch.from_numpy(np.array(small, np.uint8, copy=True)).permute(2, 0, 1).contiguous()
    pixels = pixels.to(torch.float32).div(255).clone()
    mean, std = (torch.tensor(values)[:, None, None] for values in (settings.mean, settings.std))
    pixels.sub_(mean).div_(std)
    rows, columns = settings.grid(width_px=size_px, height_px=size_px)
    size = (rows * base, columns * base)
    canvas = torch.nn.functional.interpolate(pixels[None], size, mode='bilinear')
    crops = canvas.unfold(2, base, base).unfold(3, base, base)
    crops = crops.permute(0, 2, 3, 1, 4, 5).reshape(rows * columns, -1, base, base)
    return torch.cat([crops], dim=0)


class StraightforwardWay:
    """Stock ``generate``: logits of every position over the full head, and a pass for the end."""

    def __init__(self, model: MagmaForAction) -> None:
        self._model = model
        with torch.device('meta'):
            self._stock = _AllLogits(llama_config(model.config))
        self._stock.model, self._stock.lm_head = (
            model.language_model.model,
            model.language_model.lm_head,
        )

    @torch.inference_mode()
    def run(self, rgb: NDArray[np.uint8], words: Words) -> StepTimes:
        """One action."""
        started_s = time.perf_counter()
        pixels = published_preparation(rgb, self._model.config.preprocessor).bfloat16()
        prepared_s = time.perf_counter()
        visual_tokens = self._model.encode_image(pixels)
        before, after = (torch.from_numpy(part).bfloat16()[None] for part in words)
        prompt = torch.cat([before, visual_tokens, after], dim=1)
        seen_s = time.perf_counter()
        self._stock.pass_ends_s = []
        ids = self._stock.generate(  # type: ignore[misc]  # its stubs want a mixin that has it
            inputs_embeds=prompt,
            attention_mask=torch.ones(prompt.shape[:2], dtype=torch.long),
            max_new_tokens=ACTION_LENGTH + 1,
            do_sample=False,
            pad_token_id=self._model.config.vocabulary.pad,
        )
        first_action = self._model.config.vocabulary.base_size - ACTION_BINS
        choices = (ids[0, :ACTION_LENGTH] - first_action).tolist()
        read_s = self._stock.pass_ends_s[0]
        return StepTimes(
            prepared_s - started_s,
            seen_s - prepared_s,
            read_s - seen_s,
            time.perf_counter() - read_s,
            tuple(choices),
        )


class _AllLogits(LlamaForCausalLM):
    """As in Magma's remote code: logits of every position, as float32."""

    pass_ends_s: list[float]

    def forward(self, *arguments: Any, **named: Any) -> Any:
        output = super().forward(*arguments, **{**named, 'logits_to_keep': 0})
        output.logits = output.logits.float()
        self.pass_ends_s.append(time.perf_counter())
        return output


class OurWay:
    """What ``PromptedModel.generate_action`` does, in parts and with a draft from outside."""

    def __init__(self, model: MagmaForAction) -> None:
        self.network = TorchNetwork(model)
        self._settings = model.config.preprocessor

    def run(self, rgb: NDArray[np.uint8], words: Words, draft: Choices) -> StepTimes:
        """One action."""
        started_s = time.perf_counter()
        pixels = prepare_image(rgb, self._settings)
        prepared_s = time.perf_counter()
        prompt = self._embed(pixels, words)
        seen_s = time.perf_counter()
        first, score = self.network.begin_action(prompt)
        read_s = time.perf_counter()
        choices, _, _ = verify_drafts(first, score, choose_greedily, draft)
        return StepTimes(
            prepared_s - started_s,
            seen_s - prepared_s,
            read_s - seen_s,
            time.perf_counter() - read_s,
            tuple(choices.tolist()),
        )

    def prompt(self, rgb: NDArray[np.uint8], words: Words) -> Float32Array:
        """(T, d): the picture between the words."""
        return self._embed(prepare_image(rgb, self._settings), words)

    def _embed(self, pixels: Float32Array, words: Words) -> Float32Array:
        before, after = words
        return np.concatenate([before, self.network.encode_image(pixels), after])
