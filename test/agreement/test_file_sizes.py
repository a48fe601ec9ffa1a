from __future__ import annotations

from pathlib import Path

import pytest
from source_files import CHECKOUT, package_files

MOST_LINES = 300
FILES = [
    *package_files(),
    *sorted((CHECKOUT / 'test').rglob('*.py')),
    *sorted((CHECKOUT / 'launch').glob('*.py')),
]


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.relative_to(CHECKOUT).as_posix())
def test_a_file_fits_in_the_head(path: Path) -> None:
    lines = len(path.read_text(encoding='utf-8').splitlines())

    assert lines <= MOST_LINES, f'{lines} lines: split it by what its parts do'
