from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from magma_ros.errors import CameraError
from magma_ros.image.image_preparation import (
    candidate_canvases,
    choose_canvas,
    normalise,
    prepare_crops,
    prepare_image,
    resize_bilinear,
    resize_for_robot,
)
from magma_ros.model.network.magma_config import MAGMA_8B, MAGMA_NANO

GOLDEN = json.loads((Path(__file__).parents[1] / 'golden' / 'crops.json').read_text())


def random_picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_candidates_are_magmas() -> None:
    found = candidate_canvases(GOLDEN['base'], GOLDEN['num_crops'])
    assert [list(canvas) for canvas in found] == GOLDEN['candidates_wh']


@pytest.mark.parametrize('case', GOLDEN['cases'], ids=lambda case: str(case['input_wh']))
def test_canvas_and_tokens_are_magmas(case: dict) -> None:
    width, height = case['input_wh']
    canvas = choose_canvas(width, height, GOLDEN['base'], GOLDEN['num_crops'])
    assert list(canvas) == case['canvas_wh']
    grid = (canvas[1] // GOLDEN['base'], canvas[0] // GOLDEN['base'])
    assert list(grid) == case['image_sizes_hw']
    assert MAGMA_8B.visual_tokens(grid) == case['visual_tokens']


def test_nano_has_72_visual_tokens() -> None:
    assert MAGMA_NANO.visual_tokens() == 72


def test_robot_resize_is_pillows_bicubic() -> None:
    picture = random_picture(480, 640)
    expected = Image.fromarray(picture).resize((256, 256), Image.Resampling.BICUBIC)
    assert np.array_equal(resize_for_robot(picture), np.asarray(expected))


def test_robot_picture_of_right_size_is_left_alone() -> None:
    picture = random_picture(256, 256)
    assert np.array_equal(resize_for_robot(picture), picture)


def test_pixels_of_nano() -> None:
    picture = random_picture(480, 640)
    pixels = prepare_image(picture, MAGMA_NANO.preprocessor)
    assert pixels.shape == (1, 3, 256, 256)
    assert pixels.dtype == np.float32
    small = resize_for_robot(picture)
    expected = (small[10, 20] / 255.0 - MAGMA_NANO.preprocessor.mean) / MAGMA_NANO.preprocessor.std
    assert pixels[0, :, 10, 20] == pytest.approx(expected, abs=1e-5)


def test_robot_picture_of_8b_goes_through_256() -> None:
    pixels = prepare_image(random_picture(480, 640), MAGMA_8B.preprocessor)
    assert pixels.shape == (1, 3, 512, 512)


def test_crops_tile_the_canvas_row_by_row() -> None:
    picture = random_picture(540, 960)
    crops, grid = prepare_crops(picture, MAGMA_8B.preprocessor)
    whole = resize_bilinear(normalise(picture, MAGMA_8B.preprocessor), 1024, 1024)
    assert grid == (2, 2)
    assert np.array_equal(crops[1], whole[:512, 512:].transpose(2, 0, 1))
    assert np.array_equal(crops[2], whole[512:, :512].transpose(2, 0, 1))


@pytest.mark.torch
@pytest.mark.parametrize(
    ('size', 'tolerance'), [((512, 512), 2e-6), ((512, 1024), 5e-4), ((100, 700), 5e-4)]
)
def test_bilinear_equals_torch(size: tuple[int, int], tolerance: float) -> None:
    """Torch computes positions in single precision; one grey level is 0.015 after normalising."""
    torch = pytest.importorskip('torch')
    image = np.random.default_rng(1).standard_normal((256, 256, 3)).astype(np.float32)
    tensor = torch.from_numpy(image).permute(2, 0, 1)[None]
    expected = torch.nn.functional.interpolate(tensor, size=size, mode='bilinear')
    found = resize_bilinear(image, *size)
    np.testing.assert_allclose(found, expected[0].permute(1, 2, 0).numpy(), rtol=0, atol=tolerance)


@settings(deadline=None, max_examples=50)
@given(width=st.integers(1, 3000), height=st.integers(1, 3000))
def test_any_size_gets_a_candidate_canvas(width: int, height: int) -> None:
    assert choose_canvas(width, height, 512, 4) in candidate_canvases(512, 4)


@pytest.mark.parametrize(
    'picture',
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
    ids=['grey', 'four channels', 'float', 'empty'],
)
def test_not_rgb_is_refused(picture: np.ndarray) -> None:
    with pytest.raises(CameraError, match='uint8 RGB'):
        prepare_image(picture, MAGMA_NANO.preprocessor)
