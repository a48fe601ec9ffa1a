"""The released checkpoint's ``config.json`` and ``preprocessor_config.json``, in and out.

Its ``config.json`` is in transformers' style: ``text_config`` for the decoder, ``vision_config``
for tower and projector, copies of both beside them. Source: Magma ``configuration_magma.py`` and
``modeling_magma.py``. Everything that would change the numbers and that this port does not
implement is refused by name.
"""

from __future__ import annotations

import json
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from magma_ros.errors import ModelError
from magma_ros.model.network.magma_config import (
    CONVNEXT,
    MAGMA_8B,
    MAGMA_TINY,
    PUBLISHED_VOCABULARY,
    STRATEGIES,
    DecoderConfig,
    MagmaConfig,
    PreprocessorConfig,
    ProjectorConfig,
)
from magma_ros.model.weights.json_section import JsonSection

PREPROCESSOR_FILE = 'preprocessor_config.json'
BACKBONES = {f'convnext{name}': tower for name, tower in CONVNEXT.items() if name != 'nano'}
PROJECTORS = ('mlp2x_gelu', 'mlp2x_gelu_segtokv9')  # two names of the same layers
# transformers leaves out of a nested configuration what its LlamaConfig has by default. What
# shapes cannot prove (rope_theta, rms_norm_eps) has no default here.
LLAMA_DEFAULTS = {
    'hidden_size': 4096,
    'intermediate_size': 11008,
    'num_hidden_layers': 32,
    'num_attention_heads': 32,
    'max_position_embeddings': 2048,
}
ONLY_DECODER = {
    'model_type': 'llama',
    'hidden_act': 'silu',
    'attention_bias': False,
    'mlp_bias': False,
    'tie_word_embeddings': False,
    'rope_scaling': None,
}
ONLY_TOWER = {
    'vision_feature_layer': 'clip_vis_dense',
    'mm_use_im_start_end': False,
    'mm_use_row_seperator': True,
}


def is_transformers_style(entries: Mapping[str, Any]) -> bool:
    """Whether a ``config.json`` was written by transformers, for this or any other model."""
    return 'model_type' in entries or 'architectures' in entries


def parse_published_config(
    entries: Mapping[str, Any], preprocessor: Mapping[str, Any], where: str
) -> MagmaConfig:
    """The released layout as our configuration.

    Args:
        entries: of ``config.json``.
        preprocessor: of ``preprocessor_config.json``.
        where: path of the folder, for messages.

    Raises:
        ModelError: it belongs to another model, or asks for what is not implemented here.
    """
    whole = JsonSection(entries, f'{where}/config.json')
    whole.require('model_type', ('magma',))
    text = whole.section('text_config')
    vision = whole.section('vision_config')
    whole.require('tokenizer_vocab_size', (PUBLISHED_VOCABULARY.base_size,), optional=True)
    # Renamed when the port for transformers was made.
    image_key = 'image_token_id' if 'image_token_id' in entries else 'image_token_index'
    whole.require(image_key, (PUBLISHED_VOCABULARY.image,))
    for section, wanted in ((text, ONLY_DECODER), (vision, ONLY_TOWER)):
        for key, value in wanted.items():
            section.require(key, (value,), optional=True)
    vision.require('mm_projector_type', PROJECTORS)
    tower = BACKBONES[vision.require('vision_backbone', BACKBONES, default='convnextxxlarge')]
    vision.require('mm_hidden_size', (tower.channels[-1],), optional=True)
    # The copy beside the sections belongs to no one in particular, so it cannot disagree.
    decoder = _parse_decoder(text.or_else(ChainMap(dict(entries), LLAMA_DEFAULTS)))
    vision.require('hidden_size', (decoder.hidden_size,), optional=True)
    rows = text.integer('vocab_size')
    if rows <= PUBLISHED_VOCABULARY.image_end:
        raise ModelError(
            f'{text.where}: vocab_size is {rows}, but Magma needs at least '
            f'{PUBLISHED_VOCABULARY.rows}: this is another model'
        )
    config = MagmaConfig(
        name='magma',
        preprocessor=_parse_preprocessor(
            JsonSection(preprocessor, f'{where}/{PREPROCESSOR_FILE}'),
            vision.require('img_anyres_strategy', STRATEGIES),
        ),
        vision=tower,
        projector=ProjectorConfig(hidden_size=decoder.hidden_size),
        decoder=decoder,
        vocabulary=replace(PUBLISHED_VOCABULARY, rows=rows),
    )
    known = {replace(size, name='magma'): size for size in (MAGMA_8B, MAGMA_TINY)}
    return known.get(config, config)


def is_expressible(config: MagmaConfig) -> bool:
    """Whether the released layout has words for all of a configuration."""
    extras = config.state or config.statistics_key or config.projector.position_features
    return config.vision in BACKBONES.values() and not extras


def write_published_config(config: MagmaConfig, directory: Path) -> None:
    """Writes both files, of a configuration for which :func:`is_expressible` holds."""
    backbone = next(name for name, tower in BACKBONES.items() if tower == config.vision)
    decoder, preprocessor = config.decoder, config.preprocessor
    text = {name: getattr(decoder, name) for name in DecoderConfig.__dataclass_fields__}
    entries = {
        'architectures': ['MagmaForCausalLM'],
        'model_type': 'magma',
        'image_token_index': config.vocabulary.image,
        'tokenizer_vocab_size': config.vocabulary.base_size,
        'mm_use_image_start_end': True,
        'tie_word_embeddings': False,
        'text_config': {
            **ONLY_DECODER,
            **text,
            'vocab_size': config.vocabulary.rows,
            'bos_token_id': config.vocabulary.begin_of_text,
            'eos_token_id': config.vocabulary.end_of_turn,
        },
        'vision_config': {
            **ONLY_TOWER,
            'vision_backbone': backbone,
            'mm_projector_type': PROJECTORS[0],
            'mm_hidden_size': config.vision.channels[-1],
            'hidden_size': config.projector.hidden_size,
            'img_anyres_strategy': preprocessor.anyres_strategy,
            'img_size': preprocessor.base_img_size,
        },
    }
    images = {
        'image_processor_type': 'MagmaImageProcessor',
        'processor_class': 'MagmaProcessor',
        'anyres_strategy': preprocessor.anyres_strategy,
        'base_img_size': preprocessor.base_img_size,
        'num_crops': preprocessor.num_crops,
        'do_convert_rgb': True,
        'mean': list(preprocessor.mean),
        'std': list(preprocessor.std),
    }
    for name, content in (('config.json', entries), (PREPROCESSOR_FILE, images)):
        (directory / name).write_text(json.dumps(content, indent=2) + '\n', encoding='utf-8')


def _parse_decoder(text: JsonSection) -> DecoderConfig:
    heads = text.integer('num_attention_heads')
    hidden = text.integer('hidden_size')
    text.require('head_dim', (hidden // heads,), optional=True)
    # transformers 5 keeps what was rope_theta and rope_scaling in one entry.
    rope = text.section('rope_parameters') if text.entries.get('rope_parameters') else text
    rope.require('rope_type', ('default',), optional=True)
    return DecoderConfig(
        hidden_size=hidden,
        intermediate_size=text.integer('intermediate_size'),
        num_hidden_layers=text.integer('num_hidden_layers'),
        num_attention_heads=heads,
        num_key_value_heads=text.integer('num_key_value_heads', default=heads),
        rope_theta=rope.number('rope_theta'),
        rms_norm_eps=text.number('rms_norm_eps'),
        max_position_embeddings=text.integer('max_position_embeddings'),
    )


def _parse_preprocessor(images: JsonSection, strategy: str) -> PreprocessorConfig:
    images.require('anyres_strategy', (strategy,), optional=True)
    return PreprocessorConfig(
        base_img_size=images.integer('base_img_size'),
        num_crops=images.integer('num_crops'),
        mean=images.triple('mean'),
        std=images.triple('std'),
        anyres_strategy=strategy,
    )
