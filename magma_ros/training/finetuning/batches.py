"""Which samples make a step, as a function of the step alone (torch).

A resumed run draws the same. Every kind of the mixture is gone through in a random order of its
own, again and again.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from magma_ros.errors import ConfigurationError
from magma_ros.model.network.magma import MagmaForAction
from magma_ros.training.finetuning.conversations import Sample
from magma_ros.training.finetuning.examples import Example, ExampleEncoder
from magma_ros.training.finetuning.learner import Batch
from magma_ros.training.finetuning.pictures import read_picture, to_pixels
from magma_ros.training.finetuning.settings import KINDS, Augmentation, Kind, Mixture

MOST_CACHED_MAPS = 20_000  # of magma-nano 20 kB each


class MixtureSampler:
    """Indices of the samples of a step.

    Raises:
        ConfigurationError: the mixture wants only kinds that the data lack.
    """

    def __init__(self, kinds: Sequence[Kind], mixture: Mixture, batch: int, seed: int) -> None:
        self._members = {
            kind: [i for i, of in enumerate(kinds) if of == kind]
            for kind in KINDS
            if mixture.share(kind) > 0 and kind in kinds
        }
        if not self._members:
            raise ConfigurationError(
                f'the mixture wants none of the kinds the data have: {sorted(set(kinds))}'
            )
        shares = np.array([mixture.share(kind) for kind in self._members])
        self._ends = np.cumsum(shares / shares.sum())
        self._ends[-1] = 1.0
        self._batch, self._seed = batch, seed

    @property
    def size(self) -> int:
        """Samples that can be drawn."""
        return sum(map(len, self._members.values()))

    def draw(self, step: int) -> list[int]:
        """Indices of one batch, in random order."""
        chosen: list[int] = []
        for number, members in enumerate(self._members.values()):
            first, end = (self._drawn(number, batches) for batches in (step, step + 1))
            for position in range(first, end):
                order = _order(self._seed, number, position // len(members), len(members))
                chosen.append(members[order[position % len(members)]])
        random = np.random.default_rng((self._seed, 4, step))
        return [chosen[i] for i in random.permutation(len(chosen))]

    def _drawn(self, number: int, batches: int) -> int:
        """How many of one kind the first so many batches hold: shares add up exactly."""
        low = self._ends[number - 1] if number else 0.0
        high = self._ends[number]
        ends = [int(np.floor(batches * self._batch * end + 1e-9)) for end in (low, high)]
        return ends[1] - ends[0]


@lru_cache(maxsize=8)
def _order(seed: int, number: int, epoch: int, count: int) -> np.ndarray:
    return np.random.default_rng((seed, 3, number, epoch)).permutation(count)


class BatchMaker:
    """Samples to tensors; maps of a tower that neither learns nor sees anything new are kept."""

    def __init__(
        self,
        samples: Sequence[Sample],
        encoder: ExampleEncoder,
        model: MagmaForAction,
        augmentation: Augmentation,
        seed: int,
        device: torch.device,
    ) -> None:
        self._samples, self._model = samples, model
        self._augmentation, self._seed, self._device = augmentation, seed, device
        self._examples = [encoder.encode(sample) for sample in samples]
        is_frozen = not any(p.requires_grad for p in model.vision_tower.parameters())
        self._maps: dict[Path, Tensor] | None = (
            {} if is_frozen and augmentation == 'none' else None
        )

    def example(self, index: int) -> Example:
        """Ids of one sample."""
        return self._examples[index]

    def make(self, indices: Sequence[int], step: int = 0) -> Batch:
        """The batch; how its pictures are augmented depends on seed, step and sample alone."""
        pixels = torch.stack([self._look(index, step) for index in indices])
        batch = collate([self._examples[index] for index in indices], pixels)
        return batch.to(self._device)

    def _look(self, index: int, step: int) -> Tensor:
        sample = self._samples[index]
        if self._maps is not None and sample.picture in self._maps:
            return self._maps[sample.picture]
        augmentation = self._augmentation
        if augmentation == 'published' and sample.kind in ('trace', 'mark'):
            augmentation = 'colour'  # its answer is places in the uncropped picture
        random = np.random.default_rng((self._seed, 5, step, index))
        rgb, settings = read_picture(sample.picture), self._model.config.preprocessor
        pixels = torch.from_numpy(to_pixels(rgb, settings, augmentation, random))
        if self._maps is None:
            return pixels
        with torch.no_grad():
            tower = self._model.vision_tower
            weight = next(tower.parameters())
            maps = tower(pixels[None].to(weight.device, weight.dtype))[0].cpu()
        if len(self._maps) < MOST_CACHED_MAPS:
            self._maps[sample.picture] = maps
        return maps


def collate(examples: Sequence[Example], pixels: Tensor) -> Batch:
    """Ids side by side, padded on the right, where nothing that counts sees the padding."""
    longest = max(len(example.ids) for example in examples)
    ids = torch.zeros(len(examples), longest, dtype=torch.long)
    rows, places, answers, kinds = [], [], [], []
    for row, example in enumerate(examples):
        ids[row, : len(example.ids)] = torch.tensor(example.ids)
        for offset, (id_, kind) in enumerate(zip(example.answer, example.kinds, strict=True)):
            rows.append(row)
            places.append(example.first + offset - 1)
            answers.append(id_)
            kinds.append(kind)
    columns = (torch.tensor(column) for column in (rows, places, answers, kinds))
    return Batch(pixels, ids, *columns)
