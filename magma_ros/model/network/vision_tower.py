"""Magma's vision tower in plain torch: a ConvNeXt trunk whose last map is used as it is.

Parameter names are those of timm's ConvNeXt, so that released weights load without renaming.
Source: timm 1.0 ``convnext_xxlarge`` and Magma ``image_tower_magma.py``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from magma_ros.model.network.magma_config import VisionConfig


class LayerNorm2d(nn.LayerNorm):
    """LayerNorm over the channels of (B, C, H, W) as a view: no copies for channels_last."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalises each pixel."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Mlp(nn.Module):
    """Two linear layers with exact GELU, on the last axis."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, 4 * channels)
        self.fc2 = nn.Linear(4 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(..., C) -> (..., C)."""
        return self.fc2(nn.functional.gelu(self.fc1(x)))


class Block(nn.Module):
    """Depthwise 7 x 7, LayerNorm, MLP, layer scale, shortcut."""

    def __init__(self, channels: int, config: VisionConfig) -> None:
        super().__init__()
        self.conv_dw = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=config.layer_norm_eps)
        self.mlp = Mlp(channels)
        self.gamma = nn.Parameter(torch.full((channels,), config.layer_scale_init))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> same."""
        y = self.norm(self.conv_dw(x).permute(0, 2, 3, 1))
        return x + (self.mlp(y) * self.gamma).permute(0, 3, 1, 2)


class Stage(nn.Module):
    """Halves the map (except in the first stage), then runs its blocks."""

    def __init__(self, inputs: int, channels: int, depth: int, config: VisionConfig) -> None:
        super().__init__()
        self.downsample: nn.Module = nn.Identity()
        if inputs != channels:
            norm = LayerNorm2d(inputs, eps=config.layer_norm_eps)
            self.downsample = nn.Sequential(norm, nn.Conv2d(inputs, channels, 2, stride=2))
        self.blocks = nn.Sequential(*(Block(channels, config) for _ in range(depth)))

    def forward(self, x: Tensor) -> Tensor:
        """(B, Cin, H, W) -> (B, Cout, H / 2, W / 2), or the same size in the first stage."""
        return self.blocks(self.downsample(x))


class Trunk(nn.Module):
    """Stem with stride 4, then four stages: stride 32 in all."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        widths = (config.channels[0], *config.channels)
        norm = LayerNorm2d(widths[0], eps=config.layer_norm_eps)
        self.stem = nn.Sequential(nn.Conv2d(3, widths[0], 4, stride=4), norm)
        self.stages = nn.Sequential(
            *(
                Stage(widths[index], widths[index + 1], depth, config)
                for index, depth in enumerate(config.depths)
            )
        )

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, 3, H, W), H and W multiples of 32 -> (B, C, H / 32, W / 32)."""
        return self.stages(self.stem(pixels))


class ClipVisionModel(nn.Module):
    """Holds the trunk under the name the released checkpoint uses."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.trunk = Trunk(config)


class VisionTower(nn.Module):
    """Normalised pixels -> the map before norm and head (Magma: ``clip_vis_dense``)."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.clip_vision_model = ClipVisionModel(config)
        for parameter in self.parameters():
            if parameter.ndim == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, H / 32, W / 32, C).

        channels_last matters: in plain NCHW the backward pass of the depthwise convolution is
        about 30 times slower on a CPU.
        """
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        return self.clip_vision_model.trunk(pixels).permute(0, 2, 3, 1)
