from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.errors import ModelError
from magma_ros.model.network.crops import candidate_grids, choose_grid
from magma_ros.model.network.magma_config import MAGMA_8B, MAGMA_NANO

GOLDEN = json.loads((Path(__file__).parents[2] / 'golden' / 'crops.json').read_text())
BASE = GOLDEN['base']


def test_candidates_are_magmas() -> None:
    found = [[columns * BASE, rows * BASE] for rows, columns in candidate_grids(4)]
    assert found == GOLDEN['candidates_wh']


@pytest.mark.parametrize('case', GOLDEN['cases'], ids=lambda case: str(case['input_wh']))
def test_grid_and_tokens_are_magmas(case: dict) -> None:
    grid = MAGMA_8B.preprocessor.for_questions().grid(*case['input_wh'])
    assert list(grid) == case['image_sizes_hw']
    assert [grid[1] * BASE, grid[0] * BASE] == case['canvas_wh']
    assert grid[0] * grid[1] == case['crops']
    assert MAGMA_8B.visual_tokens(grid) == case['visual_tokens']


@pytest.mark.parametrize('case', GOLDEN['single_crop_other_bases'], ids=lambda c: str(c['base']))
def test_tokens_of_one_crop(case: dict) -> None:
    base = replace(MAGMA_8B.preprocessor, base_img_size=case['base'])
    assert replace(MAGMA_8B, preprocessor=base).visual_tokens() == case['visual_tokens']


@pytest.mark.parametrize('config', [MAGMA_8B, MAGMA_NANO], ids=lambda config: config.name)
def test_a_robot_picture_is_one_crop_whatever_its_size(config) -> None:
    assert config.preprocessor.grid(1920, 1080) == (1, 1)


def test_only_a_model_of_the_robots_square_is_asked_with_it() -> None:
    nano = MAGMA_NANO.preprocessor
    assert nano.for_questions() == nano
    assert MAGMA_8B.preprocessor.for_questions().robot_size_px is None
    assert replace(nano, base_img_size=512).for_questions().robot_size_px is None


@settings(deadline=None, max_examples=50)
@given(width=st.integers(1, 5000), height=st.integers(1, 5000), crops=st.integers(1, 9))
def test_any_size_gets_a_candidate(width: int, height: int, crops: int) -> None:
    assert choose_grid(width, height, 512, crops) in candidate_grids(crops)


def test_unknown_strategy_names_the_known_ones() -> None:
    with pytest.raises(ModelError, match=r"'anyres'.*\('crop', 'global'\)"):
        replace(MAGMA_8B.preprocessor, anyres_strategy='anyres')
