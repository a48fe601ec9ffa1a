from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from magma_ros.image.bicubic import (
    LARGEST_BYTES,
    WEIGHT_BITS,
    fixed_point_weights,
    resize_bicubic,
)


def random_picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def pillow(rgb: np.ndarray, size_px: int) -> np.ndarray:
    resized = Image.fromarray(rgb).resize((size_px, size_px), Image.Resampling.BICUBIC)
    return np.asarray(resized)


@pytest.mark.parametrize(
    ('height', 'width'),
    [(480, 640), (240, 424), (720, 1280), (256, 256), (1, 1), (480, 256), (256, 640), (640, 480)],
)
def test_every_byte_is_pillows(height: int, width: int) -> None:
    picture = random_picture(height, width)
    assert np.array_equal(resize_bicubic(picture, 256), pillow(picture, 256))


@settings(deadline=None, max_examples=40)
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 120),
    size=st.integers(1, 70),
    kind=st.sampled_from(['noise', 'extremes', 'flat', 'steps']),
    seed=st.integers(0, 99),
)
def test_every_byte_is_pillows_at_any_size(
    height: int, width: int, size: int, kind: str, seed: int
) -> None:
    picture = random_picture(height, width, seed)
    if kind == 'extremes':  # overshoots past 0 and 255
        picture = (picture // 128) * np.uint8(255)
    if kind == 'flat':
        picture[:] = picture[0, 0]
    if kind == 'steps':  # sums that lie exactly between two bytes
        picture = picture // 128
    assert np.array_equal(resize_bicubic(picture, size), pillow(picture, size))


def test_a_view_is_resized_as_its_copy() -> None:
    picture = random_picture(60, 80)[:, ::-1]
    assert np.array_equal(resize_bicubic(picture, 32), pillow(picture.copy(), 32))


def test_results_stay_when_the_next_picture_comes() -> None:
    first = resize_bicubic(random_picture(60, 80, 1), 32)
    kept = first.copy()
    resize_bicubic(random_picture(60, 80, 2), 32)
    assert np.array_equal(first, kept)


def test_threads_do_not_disturb_each_other() -> None:
    pictures = [random_picture(120, 160, seed) for seed in range(16)]
    with ThreadPoolExecutor(4) as pool:
        resized = list(pool.map(lambda picture: resize_bicubic(picture, 64), pictures))
    for picture, found in zip(pictures, resized, strict=True):
        assert np.array_equal(found, pillow(picture, 64))


def test_large_pictures_are_left_to_pillow() -> None:
    picture = random_picture(1080, 1920)
    assert picture.nbytes > LARGEST_BYTES
    assert np.array_equal(resize_bicubic(picture, 16), pillow(picture, 16))


@pytest.mark.parametrize(('size', 'new_size'), [(640, 256), (480, 256), (100, 256), (7, 3)])
def test_weights_of_a_pixel_add_up(size: int, new_size: int) -> None:
    weights = fixed_point_weights(size, new_size)
    assert np.array_equal(weights, np.round(weights))
    assert np.abs(weights.sum(axis=1) - 2**WEIGHT_BITS).max() < 16
