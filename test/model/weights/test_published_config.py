from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from magma_ros.errors import ModelError
from magma_ros.model.network.magma_config import CONVNEXT, MAGMA_8B, MAGMA_NANO, MAGMA_TINY
from magma_ros.model.weights.model_folder import read_model_config
from magma_ros.model.weights.published_config import (
    is_expressible,
    parse_published_config,
    write_published_config,
)

# As far as the released files are known, with what transformers leaves out left out.
CONFIG: dict[str, Any] = {
    'architectures': ['MagmaForCausalLM'],
    'model_type': 'magma',
    'auto_map': {'AutoModelForCausalLM': 'modeling_magma.MagmaForCausalLM'},
    'image_token_index': 128257,
    'tokenizer_vocab_size': 128000,
    'torch_dtype': 'bfloat16',
    'mm_use_image_start_end': True,
    'vocab_size': 128256,
    'num_key_value_heads': 8,
    'text_config': {
        'model_type': 'llama',
        'vocab_size': 128261,
        'intermediate_size': 14336,
        'max_position_embeddings': 8192,
        'num_key_value_heads': 8,
        'rms_norm_eps': 1e-05,
        'rope_theta': 500000.0,
    },
    'vision_config': {
        'vision_backbone': 'convnextxxlarge',
        'vision_feature_layer': 'clip_vis_dense',
        'img_anyres_strategy': 'crop',
        'img_size': 512,
        'mm_projector_type': 'mlp2x_gelu',
        'mm_hidden_size': 3072,
        'mm_use_im_start_end': False,
        'mm_vision_select_layer': -2,
        'hidden_size': 4096,
    },
}
PREPROCESSOR: dict[str, Any] = {
    'anyres_strategy': 'crop',
    'base_img_size': 512,
    'num_crops': 4,
    'do_convert_rgb': True,
    'mean': [0.48145466, 0.4578275, 0.40821073],
    'std': [0.26862954, 0.26130258, 0.27577711],
    'image_processor_type': 'MagmaImageProcessor',
}


def test_the_released_files_are_magma_8b() -> None:
    assert parse_published_config(CONFIG, PREPROCESSOR, 'folder') == MAGMA_8B


def test_names_that_changed_with_transformers() -> None:
    entries = copy.deepcopy(CONFIG)
    entries['image_token_id'] = entries.pop('image_token_index')
    entries['vision_config']['mm_projector_type'] = 'mlp2x_gelu_segtokv9'
    theta = entries['text_config'].pop('rope_theta')
    entries['text_config']['rope_parameters'] = {'rope_theta': theta, 'rope_type': 'default'}

    assert parse_published_config(entries, PREPROCESSOR, 'folder') == MAGMA_8B


def test_a_padded_vocabulary_keeps_its_ids() -> None:
    entries = copy.deepcopy(CONFIG)
    entries['text_config']['vocab_size'] = 128320

    config = parse_published_config(entries, PREPROCESSOR, 'folder')

    assert config.vocabulary == replace(MAGMA_8B.vocabulary, rows=128320)
    assert config.name == 'magma'


@pytest.mark.parametrize('tower', ['xxlarge', 'large', 'base', 'tiny'])
@pytest.mark.parametrize('strategy', ['crop', 'global'])
def test_what_is_written_is_read_back(tmp_path: Path, tower: str, strategy: str) -> None:
    images = replace(MAGMA_TINY.preprocessor, anyres_strategy=strategy, num_crops=2)
    config = replace(MAGMA_TINY, vision=CONVNEXT[tower], preprocessor=images, name='magma')

    write_published_config(config, tmp_path)

    assert read_model_config(tmp_path) == (config, 'published')


def test_known_sizes_are_recognised(tmp_path: Path) -> None:
    write_published_config(MAGMA_TINY, tmp_path)
    assert read_model_config(tmp_path)[0].name == 'magma-tiny'


def test_the_extras_of_nano_have_no_words_in_the_released_layout() -> None:
    assert is_expressible(MAGMA_8B)
    assert not is_expressible(MAGMA_NANO)
    assert not is_expressible(replace(MAGMA_TINY, vision=CONVNEXT['nano']))


@pytest.mark.parametrize(
    ('place', 'value', 'message'),
    [
        (('model_type',), 'llava', "model_type is 'llava', expected 'magma'"),
        (('image_token_index',), 32000, 'image_token_index is 32000, expected 128257'),
        (('image_token_index',), None, 'image_token_index is None'),
        (('tokenizer_vocab_size',), 32000, 'expected 128000'),
        (('text_config',), None, 'text_config is None, expected an object'),
        (('text_config', 'model_type'), 'mistral', "expected 'llama'"),
        (('text_config', 'vocab_size'), 128256, 'at least 128261'),
        (('text_config', 'vocab_size'), None, 'vocab_size is None'),
        (('text_config', 'hidden_size'), '4096', 'expected a positive whole number'),
        (('text_config', 'head_dim'), 64, 'head_dim is 64, expected 128'),
        (('text_config', 'rope_theta'), None, 'rope_theta is None'),
        (('text_config', 'rms_norm_eps'), None, 'rms_norm_eps is None'),
        (('text_config', 'rope_scaling'), {'factor': 8.0}, 'rope_scaling'),
        (('text_config', 'hidden_act'), 'gelu', "hidden_act is 'gelu', expected 'silu'"),
        (('text_config', 'tie_word_embeddings'), True, 'tie_word_embeddings'),
        (('vision_config', 'vision_backbone'), 'vitl', "expected 'convnextxxlarge' or"),
        (('vision_config', 'mm_hidden_size'), 1536, 'mm_hidden_size is 1536, expected 3072'),
        (('vision_config', 'hidden_size'), 2048, 'hidden_size is 2048, expected 4096'),
        (('vision_config', 'img_anyres_strategy'), 'pad', "expected 'crop' or 'global'"),
        (('vision_config', 'mm_projector_type'), 'linear', 'mm_projector_type'),
        (('vision_config', 'mm_use_im_start_end'), True, 'mm_use_im_start_end'),
        (('vision_config', 'mm_use_row_seperator'), False, 'mm_use_row_seperator'),
        (('vision_config', 'vision_feature_layer'), 'res4', 'vision_feature_layer'),
    ],
)
def test_what_would_change_the_numbers_is_refused_by_name(
    place: tuple[str, ...], value: object, message: str
) -> None:
    entries = copy.deepcopy(CONFIG)
    section = entries
    for key in place[:-1]:
        section = section[key]
    section[place[-1]] = value
    with pytest.raises(ModelError) as caught:
        parse_published_config(entries, PREPROCESSOR, 'folder')
    assert message in str(caught.value)
    assert 'folder/config.json' in str(caught.value)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'anyres_strategy': 'global'}, "expected 'crop'"),
        ({'base_img_size': 0}, 'base_img_size is 0'),
        ({'mean': [0.5, 0.5]}, 'mean is'),
        ({'std': None}, 'std is None, expected a list of three numbers'),
    ],
)
def test_preparation_is_checked_too(change: dict[str, object], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        parse_published_config(CONFIG, {**PREPROCESSOR, **change}, 'folder')


@pytest.mark.parametrize('text', ['not json', '[]', '\xff'])
def test_files_that_hold_something_else(tmp_path: Path, text: str) -> None:
    (tmp_path / 'config.json').write_text(json.dumps(CONFIG))
    with pytest.raises(ModelError, match='preprocessor_config.json does not exist'):
        read_model_config(tmp_path)
    (tmp_path / 'preprocessor_config.json').write_bytes(text.encode('latin-1'))
    with pytest.raises(ModelError, match='preprocessor_config.json .*: copy it again'):
        read_model_config(tmp_path)
