"""From the tower's map to the decoder's space (torch): two linear layers, row separator."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from magma_ros.model.network.magma_config import ProjectorConfig

POSITION_FREQUENCIES = 4


class MultiModalProjector(nn.Module):
    """Magma's ``mlp2x_gelu`` projector; ``row_seperator`` is spelled as in the checkpoint."""

    def __init__(self, config: ProjectorConfig, inputs: int, outputs: int) -> None:
        super().__init__()
        self.proj = nn.Sequential(
            nn.Linear(inputs, config.hidden_size),
            nn.GELU(),
            nn.Linear(config.hidden_size, outputs),
        )
        self.row_seperator = nn.Parameter(torch.randn(1, 1, outputs) * 0.02)
        self.position: nn.Linear | None = None
        if config.position_features:
            self.position = nn.Linear(4 * POSITION_FREQUENCIES, inputs, bias=False)

    def forward(self, feature_map: Tensor) -> Tensor:
        """(B, rows, columns, C) -> (B, rows * (columns + 1), d), each row ended by a separator."""
        batch, rows, columns, _ = feature_map.shape
        if self.position is not None:
            place = cell_features(rows, columns).to(feature_map)
            feature_map = feature_map + self.position(place)
        tokens = self.proj(feature_map)
        separator = self.row_seperator.to(tokens.dtype).expand(batch, rows, 1, -1)
        return torch.cat([tokens, separator], dim=2).flatten(1, 2)


def cell_features(rows: int, columns: int) -> Tensor:
    """(rows, columns, 16): sine, cosine of k pi x and k pi y, k = 1..4, cell centres in 0..1."""
    y, x = torch.meshgrid(
        (torch.arange(rows) + 0.5) / rows, (torch.arange(columns) + 0.5) / columns, indexing='ij'
    )
    frequencies = math.pi * torch.arange(1, POSITION_FREQUENCIES + 1)
    angles = torch.stack([x, y], dim=-1)[..., None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=-1).flatten(-2)
