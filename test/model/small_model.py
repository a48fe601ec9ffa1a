"""A model as magma-8b where it matters for export, and small enough to be exported in a test."""

from __future__ import annotations

from dataclasses import replace

from magma_ros.model.network.magma_config import (
    MAGMA_NANO,
    MAGMA_TINY,
    DecoderConfig,
    MagmaConfig,
    ProjectorConfig,
    VisionConfig,
)

# Up to four crops, grouped heads, the published prompts and rules for ids.
SMALL = MagmaConfig(
    name='magma-small',
    preprocessor=replace(MAGMA_TINY.preprocessor, base_img_size=64, robot_size_px=64),
    vision=VisionConfig((8, 16, 24, 32), (1, 1, 1, 1), layer_scale_init=0.5),
    projector=ProjectorConfig(hidden_size=32),
    decoder=DecoderConfig(
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        rope_theta=500000.0,
        max_position_embeddings=400,
    ),
    vocabulary=MAGMA_NANO.vocabulary,
)
