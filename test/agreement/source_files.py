"""The package's source as the agreement tests read it: parsed, never imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGE = CHECKOUT / 'magma_ros'


def package_files() -> list[Path]:
    """Every Python file of the package, in order."""
    return sorted(PACKAGE.rglob('*.py'))


def short_name(path: Path) -> str:
    """``sim/world.py``: the path inside the package."""
    return path.relative_to(PACKAGE).as_posix()


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding='utf-8'), str(path))


def imported_modules(tree: ast.AST) -> Iterator[str]:
    """Full names of all modules imported anywhere in the file, also inside of functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, 'relative imports hide where things come from'
            assert node.module is not None
            if node.module == 'magma_ros':
                yield from (f'magma_ros.{alias.name}' for alias in node.names)
            else:
                yield node.module
