"""Muon for hidden matrices, AdamW for the rest, one schedule, snapshots to resume from (torch).

Snapshots are safetensors: tensors of the model and of both optimisers under plain names, never a
pickle.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import distributed, nn

# Matrices that map words to vectors or vectors to words, and heads that only training has: AdamW.
NOT_FOR_MUON = ('embed_tokens', 'lm_head', 'head.', 'position', 'stem', 'downsample', 'conv_dw')


class Optimisation:
    """Both optimisers and their common schedule: warm-up, then cosine to ``floor``."""

    def __init__(
        self,
        model: nn.Module,
        steps: int,
        muon_rate: float = 0.015,
        adam_rate: float = 2e-3,
        warm_up: int = 60,
        floor: float = 0.03,
    ) -> None:
        named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
        matrices = [
            p for name, p in named if p.ndim == 2 and not any(key in name for key in NOT_FOR_MUON)
        ]
        chosen = {id(p) for p in matrices}
        rest = [p for _, p in named if id(p) not in chosen]
        self._model, self._parameters = model, [p for _, p in named]
        self._optimisers: list[tuple[torch.optim.Optimizer, float]] = [
            (
                torch.optim.Muon(matrices, lr=muon_rate, momentum=0.95, weight_decay=0.05),
                muon_rate,
            ),
            (
                torch.optim.AdamW(
                    [
                        {'params': [p for p in rest if p.ndim > 1], 'weight_decay': 0.05},
                        {'params': [p for p in rest if p.ndim <= 1], 'weight_decay': 0.0},
                    ],
                    lr=adam_rate,
                    betas=(0.9, 0.98),
                ),
                adam_rate,
            ),
        ]
        self.steps, self._warm_up, self._floor = steps, warm_up, floor

    def rate(self, step: int) -> float:
        """Share of the full learning rate at this step."""
        if step < self._warm_up:
            return (step + 1) / self._warm_up
        progress = (step - self._warm_up) / max(1, self.steps - self._warm_up)
        return self._floor + (1 - self._floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))

    def step(self, loss: torch.Tensor, step: int) -> None:
        """Backward pass, clipped, and one update."""
        for optimiser, _ in self._optimisers:
            optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if distributed.is_initialized():
            self._average_gradients()
        nn.utils.clip_grad_norm_(self._parameters, 1.0)
        for optimiser, rate in self._optimisers:
            for group in optimiser.param_groups:
                group['lr'] = rate * self.rate(step)
            optimiser.step()

    def _average_gradients(self) -> None:
        """Mean of the gradients of all processes, each of which saw a batch of its own."""
        gradients = [p.grad for p in self._parameters if p.grad is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        distributed.all_reduce(flat)
        flat /= distributed.get_world_size()
        for gradient, mean in zip(
            gradients, flat.split([g.numel() for g in gradients]), strict=True
        ):
            gradient.copy_(mean.view_as(gradient))

    def save(self, path: Path, step: int) -> None:
        """Everything needed to go on after ``step`` steps, replaced in one piece."""
        optimisers = [optimiser for optimiser, _ in self._optimisers]
        save_snapshot(path, self._model.state_dict(), optimisers, step)

    def resume(self, path: Path) -> int:
        """Load a snapshot if there is one; returns the number of steps done."""
        if not path.is_file():
            return 0
        optimisers = [optimiser for optimiser, _ in self._optimisers]
        step, weights = restore_snapshot(path, optimisers)
        self._model.load_state_dict(weights)
        return step


def save_snapshot(
    path: Path,
    weights: Mapping[str, torch.Tensor],
    optimisers: Sequence[torch.optim.Optimizer],
    step: int,
) -> None:
    """Weights and the state of optimisers after ``step`` steps, replaced in one piece."""
    tensors = {f'model.{name}': tensor for name, tensor in weights.items()}
    for number, optimiser in enumerate(optimisers):
        for index, entry in optimiser.state_dict()['state'].items():
            for key, value in entry.items():
                tensors[f'optimiser.{number}.{index}.{key}'] = torch.as_tensor(value)
    draft = path.with_suffix('.draft')
    save_file(
        {name: tensor.detach().contiguous().clone() for name, tensor in tensors.items()},
        draft,
        metadata={'step': json.dumps(step)},
    )
    draft.replace(path)


def restore_snapshot(
    path: Path, optimisers: Sequence[torch.optim.Optimizer]
) -> tuple[int, dict[str, torch.Tensor]]:
    """Number of steps done and the weights; the optimisers get their state back."""
    with safe_open(path, 'pt') as snapshot:  # type: ignore[no-untyped-call]
        step = int(json.loads(snapshot.metadata()['step']))
        tensors = {name: snapshot.get_tensor(name) for name in snapshot.keys()}  # noqa: SIM118
    for number, optimiser in enumerate(optimisers):
        state = optimiser.state_dict()
        state['state'] = {}
        for name, tensor in tensors.items():
            if name.startswith(f'optimiser.{number}.'):
                index, key = name.split('.')[2:]
                state['state'].setdefault(int(index), {})[key] = tensor
        optimiser.load_state_dict(state)
    return step, {name[6:]: t for name, t in tensors.items() if name.startswith('model.')}


def load_snapshot(model: nn.Module, path: Path) -> None:
    """The weights of another stage's snapshot, without its optimiser state."""
    with safe_open(path, 'pt') as snapshot:  # type: ignore[no-untyped-call]
        names = [name for name in snapshot.keys() if name.startswith('model.')]  # noqa: SIM118
        model.load_state_dict({name[6:]: snapshot.get_tensor(name) for name in names})
