"""docs/safety.md says what the code does."""

import re
from pathlib import Path

import pytest

pytest.importorskip('rclpy')

from magma_ros.motion.modes import Mode
from magma_ros.tools.interface_tables import with_tables
from magma_ros.tools.safety_tables import SAFETY_TABLES

PAGE = Path(__file__).resolve().parents[2] / 'docs' / 'safety.md'
TEXT = PAGE.read_text(encoding='utf-8')


def test_tables_of_the_page_equal_the_code():
    assert with_tables(TEXT, SAFETY_TABLES) == TEXT, (
        'run python -m magma_ros.tools.safety_tables docs/safety.md'
    )


def test_the_first_lines_say_what_it_is_not():
    first = ' '.join(TEXT.split('\n')[:6])
    assert 'not a certified safety function' in first
    assert 'hardware emergency stop' in first


def test_the_diagram_knows_every_state():
    diagram = TEXT.split('```mermaid')[1].split('```')[0]
    named = set(re.findall(r'[A-Z]{4,}', diagram))
    assert named == {mode.name for mode in Mode}


def test_every_file_of_the_table_of_rules_exists():
    package = PAGE.parents[1] / 'magma_ros'
    listed = re.findall(r'`((?:motion|nodes)/\w+\.py)`', TEXT)
    assert len(listed) > 10
    for name in listed:
        assert (package / name).is_file(), name
