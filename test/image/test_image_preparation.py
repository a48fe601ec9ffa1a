from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from magma_ros.errors import CameraError
from magma_ros.image.image_preparation import (
    normalisation_table,
    prepare_image,
    resize_for_robot,
)
from magma_ros.model.network.magma_config import MAGMA_8B, MAGMA_NANO, PreprocessorConfig

QUESTIONS_8B = MAGMA_8B.preprocessor.for_questions()


def random_picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


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


def published_chain(rgb: np.ndarray, settings: PreprocessorConfig) -> np.ndarray:
    """Magma's image processor step by step, in torch: ToTensor, Normalize, interpolate, unfold."""
    torch = pytest.importorskip('torch')
    base = settings.base_img_size
    rows, columns = settings.grid(rgb.shape[1], rgb.shape[0])
    if settings.robot_size_px is not None:
        side = settings.robot_size_px
        rgb = np.asarray(Image.fromarray(rgb).resize((side, side), Image.Resampling.BICUBIC))
    mean, std = torch.tensor(settings.mean), torch.tensor(settings.std)
    tensor = torch.from_numpy(rgb.copy()).permute(2, 0, 1).float().div(255)
    tensor = tensor.sub(mean[:, None, None]).div(std[:, None, None])
    size = (rows * base, columns * base)
    canvas = torch.nn.functional.interpolate(tensor[None], size=size, mode='bilinear')
    crops = canvas.unfold(2, base, base).unfold(3, base, base).permute(0, 2, 3, 1, 4, 5)
    return crops.reshape(-1, 3, base, base).numpy()


@pytest.mark.torch
@pytest.mark.parametrize('config', [MAGMA_8B, MAGMA_NANO], ids=lambda config: config.name)
@pytest.mark.parametrize('size', [(480, 640), (256, 256), (720, 1280), (640, 480), (9, 4)])
def test_robot_pictures_equal_the_published_chain(config, size: tuple[int, int]) -> None:
    picture = random_picture(*size)
    expected = published_chain(picture, config.preprocessor)
    found = prepare_image(picture, config.preprocessor)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


@pytest.mark.torch
@pytest.mark.parametrize(
    ('size', 'crops', 'tolerance'),
    [
        ((480, 640), 2, 1e-6),
        ((640, 480), 2, 1e-6),
        ((224, 224), 1, 1e-6),
        ((540, 960), 4, 1e-6),
        ((1, 1), 1, 1e-6),
        ((400, 1400), 3, 5e-4),
    ],
    ids=str,
)
def test_question_pictures_equal_the_published_chain(
    size: tuple[int, int], crops: int, tolerance: float
) -> None:
    picture = random_picture(*size)
    found = prepare_image(picture, QUESTIONS_8B)
    assert found.shape == (crops, 3, 512, 512)
    np.testing.assert_allclose(
        found, published_chain(picture, QUESTIONS_8B), rtol=0, atol=tolerance
    )


def test_crops_come_row_by_row() -> None:
    picture = np.zeros((1024, 1024, 3), np.uint8)
    picture[:512, 512:, 1] = 255  # green above on the right
    crops = prepare_image(picture, QUESTIONS_8B)
    assert QUESTIONS_8B.grid(1024, 1024) == (2, 2)
    assert [crop[1].mean() > 0 for crop in crops] == [False, True, False, False]


def test_the_table_cannot_be_overwritten() -> None:
    settings = MAGMA_8B.preprocessor
    with pytest.raises(ValueError, match='read-only'):
        normalisation_table(settings.mean, settings.std)[0, 0] = 1.0


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
