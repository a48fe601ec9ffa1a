from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for the modules beside this file

from numbered_pictures import numbered_picture  # noqa: E402

from magma_ros.image.picture_file import write_picture  # noqa: E402


@pytest.fixture
def picture_folder(tmp_path: Path) -> Path:
    """Eleven pictures, numbered without leading zeros."""
    folder = tmp_path / 'pictures'
    folder.mkdir()
    for index in range(11):
        write_picture(numbered_picture(index), folder / f'view_{index}.png')
    (folder / 'notes.txt').write_text('no picture')
    return folder
