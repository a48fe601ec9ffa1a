"""Pictures of samples as pixels: prepared as at run time, augmented as Magma was trained.

Source of the published augmentation: Magma's RLDS settings (random_resized_crop 0.9, brightness
0.2, contrast and saturation 0.8 to 1.2, hue 0.05), on the picture of 256 x 256.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from magma_ros.errors import ConfigurationError
from magma_ros.image.image_preparation import prepare_image, resize_for_robot
from magma_ros.model.network.magma_config import PreprocessorConfig
from magma_ros.training.finetuning.settings import Augmentation

Picture = NDArray[np.uint8]
CROP_AREA = 0.9
BRIGHTNESS, CONTRAST, SATURATION, HUE = 0.2, 0.2, 0.2, 0.05
ROBOT_SIDE_PX = 256


def read_picture(path: Path) -> Picture:
    """RGB; raises ConfigurationError if it is not a picture that can be read."""
    try:
        with Image.open(path) as image:
            return np.array(image.convert('RGB'))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ConfigurationError(f'{path} is no picture ({error}): convert again') from error


def to_pixels(
    rgb: Picture,
    settings: PreprocessorConfig,
    augmentation: Augmentation = 'none',
    random: np.random.Generator | None = None,
) -> NDArray[np.float32]:
    """(height, width, 3) -> (3, base, base) for the tower.

    Args:
        rgb: the picture.
        settings: of the model; robot pictures are one crop.
        augmentation: ``published``, ``colour`` (without the crop, which moves everything in the
            picture and so spoils labels that are places in it), or ``none``.
        random: needed unless ``none``.
    """
    rgb = resize_for_robot(rgb, settings.robot_size_px or ROBOT_SIDE_PX)
    if augmentation != 'none':
        assert random is not None
        rgb = _jitter_colours(rgb, random)
        if augmentation == 'published':
            rgb = _crop(rgb, random)
    return prepare_image(rgb, settings)[0]


def _crop(rgb: Picture, random: np.random.Generator) -> Picture:
    """A square of 0.9 of the area, at a random place, as large as before."""
    side = rgb.shape[0]
    inner = round(side * CROP_AREA**0.5)
    y, x = random.integers(0, side - inner + 1, 2)
    cut = rgb[y : y + inner, x : x + inner]
    return np.asarray(cv2.resize(cut, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)


def _jitter_colours(rgb: Picture, random: np.random.Generator) -> Picture:
    values = rgb.astype(np.float32) / 255.0
    values += random.uniform(-BRIGHTNESS, BRIGHTNESS)
    mean = values.mean(axis=(0, 1), keepdims=True)
    values = (values - mean) * random.uniform(1 - CONTRAST, 1 + CONTRAST) + mean
    hsv = cv2.cvtColor(np.clip(values, 0, 1), cv2.COLOR_RGB2HSV)
    hsv[..., 1] = np.clip(hsv[..., 1] * random.uniform(1 - SATURATION, 1 + SATURATION), 0, 1)
    hsv[..., 0] = (hsv[..., 0] + 360 * random.uniform(-HUE, HUE)) % 360
    back = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    return np.asarray(np.rint(255 * np.clip(back, 0, 1)), np.uint8)
