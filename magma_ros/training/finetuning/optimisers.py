"""Optimisers and the schedule of their rates (torch)."""

from __future__ import annotations

import math
from typing import Any

import torch

from magma_ros.training.finetuning.learner import Learner
from magma_ros.training.finetuning.settings import FinetuneSettings
from magma_ros.training.optimisation import NOT_FOR_MUON

FLOOR = 0.03  # of the cosine


def make_optimisers(learner: Learner, settings: FinetuneSettings) -> list[tuple[Any, float]]:
    """Each optimiser with its full rate: AdamW, and Muon for hidden matrices where wanted."""
    named = learner.trained()
    matrices = {
        name: p
        for name, p in named.items()
        if settings.optimiser == 'muon'
        and p.ndim == 2
        and not any(key in name for key in NOT_FOR_MUON)
    }
    rest = [p for name, p in named.items() if name not in matrices]
    optimisers: list[tuple[Any, float]] = []
    if rest:
        groups = [
            {'params': [p for p in rest if p.ndim > 1], 'weight_decay': settings.weight_decay},
            {'params': [p for p in rest if p.ndim <= 1], 'weight_decay': 0.0},
        ]
        adamw = torch.optim.AdamW([g for g in groups if g['params']], lr=settings.learning_rate)
        optimisers.append((adamw, settings.learning_rate))
    if matrices:
        muon = torch.optim.Muon(
            list(matrices.values()),
            lr=settings.muon_learning_rate,
            weight_decay=settings.weight_decay,
        )
        optimisers.append((muon, settings.muon_learning_rate))
    return optimisers


def rate_at(step: int, steps: int, settings: FinetuneSettings) -> float:
    """Share of the full rate: a linear warm-up, then constant or a cosine."""
    warm_up = math.ceil(settings.warm_up * steps)
    if step < warm_up:
        return (step + 1) / warm_up
    if settings.schedule == 'constant':
        return 1.0
    progress = (step - warm_up) / max(1, steps - warm_up)
    return FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
