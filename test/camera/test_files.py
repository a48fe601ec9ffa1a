"""Files that are not what they should be: each is named, with what to do."""

from __future__ import annotations

import importlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from numbered_pictures import numbered_picture

from magma_ros.camera.lens import Lens, assume_lens, lens_of, read_lens
from magma_ros.camera.picture_folder import PictureFolder, naturally_sorted
from magma_ros.camera.realsense_library import load_realsense
from magma_ros.camera.video_file import VideoFile
from magma_ros.errors import CameraError, ConfigurationError, EnvironmentMissing
from magma_ros.image.picture_file import write_picture

CALIBRATION = """
image_width: 64
image_height: 48
camera_name: test
camera_matrix: {rows: 3, cols: 3, data: [50.0, 0, 31.5, 0, 51.0, 23.5, 0, 0, 1]}
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [0.1, -0.2, 0, 0, 0]}
"""


def test_pictures_are_ordered_as_people_number_them() -> None:
    names = ['b10.png', 'b9.png', 'b2.png', 'A1.png', 'b9_2.png', '7.png']

    ordered = naturally_sorted(Path(name) for name in names)

    assert [path.name for path in ordered] == [
        '7.png',
        'A1.png',
        'b2.png',
        'b9.png',
        'b9_2.png',
        'b10.png',
    ]


def test_a_folder_without_pictures_is_named(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match='holds no .jpg'):
        PictureFolder(tmp_path).open()
    with pytest.raises(CameraError, match='is no folder'):
        PictureFolder(tmp_path / 'absent').open()
    with pytest.raises(ConfigurationError, match='above 0'):
        PictureFolder(tmp_path, rate_hz=0.0)


def test_pictures_of_two_sizes_are_refused(picture_folder: Path) -> None:
    write_picture(numbered_picture(0, 32, 24), picture_folder / 'view_1.png')
    source = PictureFolder(picture_folder)
    source.open()
    source.read(0.0)

    with pytest.raises(CameraError, match=r'view_1\.png is 32 x 24 instead of 64 x 48'):
        source.read(0.0)


def test_a_damaged_picture_is_named(picture_folder: Path) -> None:
    (picture_folder / 'view_0.png').write_bytes(b'\x89PNG\r\n\x1a\n broken')
    source = PictureFolder(picture_folder)
    source.open()

    with pytest.raises(CameraError, match='view_0'):
        source.read(0.0)


def test_what_is_no_video_is_named(tmp_path: Path) -> None:
    (tmp_path / 'film.mp4').write_text('once upon a time')

    with pytest.raises(CameraError, match='no video OpenCV can read'):
        VideoFile(tmp_path / 'film.mp4').open()
    with pytest.raises(CameraError, match='does not exist'):
        VideoFile(tmp_path / 'absent.mp4').open()


def test_a_video_of_another_size_than_its_lens_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'film.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), 10, (64, 48))
    writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()

    with pytest.raises(CameraError, match='64 x 48, the lens was calibrated for 640 x 480'):
        VideoFile(path, assume_lens(640, 480)).open()


def test_a_calibration_is_read_with_its_distortion(tmp_path: Path) -> None:
    path = tmp_path / 'camera.yaml'
    path.write_text(CALIBRATION)

    lens = read_lens(path)

    assert (lens.width_px, lens.height_px) == (64, 48)
    assert lens.distortion == pytest.approx([0.1, -0.2, 0, 0, 0])
    camera = lens.camera_model()
    assert (camera.focal_x_px, camera.focal_y_px) == (50.0, 51.0)
    assert (camera.centre_x_px, camera.centre_y_px) == (31.5, 23.5)
    np.testing.assert_array_equal(lens_of(camera).matrix, lens.matrix)


@pytest.mark.parametrize(
    ('old', 'new', 'complaint'),
    [
        ('data: [50.0', 'data: [0.0', 'focal lengths 0'),
        ('image_width: 64\n', '', 'image_width'),
        ('plumb_bob', 'equidistant', 'equidistant'),
        ('[0.1, -0.2, 0, 0, 0]', '[.nan]', 'cannot be'),
        ('23.5, 0, 0, 1]', '23.5]', 'no camera calibration'),
    ],
)
def test_a_wrong_calibration_is_named(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    path = tmp_path / 'camera.yaml'
    path.write_text(CALIBRATION.replace(old, new))

    with pytest.raises(ConfigurationError, match=complaint):
        read_lens(path)


def test_the_assumed_lens_has_the_view_of_a_d435() -> None:
    lens: Lens = assume_lens(640, 480)

    half = np.arctan2(320, lens.matrix[0, 0])
    assert np.rad2deg(2 * half) == pytest.approx(69.0)


@pytest.mark.parametrize(
    ('missing', 'advice'),
    [('pyrealsense2', r'magma_ros\[realsense\]'), ('libusb_package', 'libusb-1.0-0')],
)
def test_a_missing_library_is_named(
    missing: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_import = importlib.import_module

    def import_module(name: str) -> object:
        if name == missing:
            raise ModuleNotFoundError(f'No module named {name!r}', name=name)
        if name == 'pyrealsense2':
            raise ImportError('libusb-1.0.so.0: cannot open shared object file')
        return real_import(name)

    monkeypatch.setattr(importlib, 'import_module', import_module)

    with pytest.raises(EnvironmentMissing, match=advice):
        load_realsense()
