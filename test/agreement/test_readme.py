import re
import shlex
from pathlib import Path

import pytest

pytest.importorskip('rclpy')

from magma_ros.errors import ConfigurationError
from magma_ros.tools.interface_tables import with_tables
from magma_ros.tools.magma import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / 'README.md').read_text(encoding='utf-8')


def test_tables_of_the_readme_equal_the_code():
    assert with_tables(README) == README


def test_missing_marker_is_named():
    with pytest.raises(ConfigurationError, match='<!-- topics -->'):
        with_tables(README.replace('<!-- topics -->', ''))


def test_every_command_and_make_target_named_in_the_docs_exists():
    targets = set(re.findall(r'^([a-z-]+):', (ROOT / 'Makefile').read_text(), re.MULTILINE))
    pages = [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', *(ROOT / 'docs').glob('*.md')]
    for page in pages:
        for block in re.findall(r'```(?:bash|sh)\n(.*?)```', page.read_text(), re.DOTALL):
            for line in block.splitlines():
                words = shlex.split(line, comments=True)
                if words[:1] == ['make']:
                    assert words[1] in targets, f'{page.name}: {line}'
                if words[:1] == ['magma'] and len(words) > 1 and not words[1].startswith('-'):
                    assert words[1] in COMMANDS, f'{page.name}: {line}'


def test_every_file_linked_in_the_docs_exists():
    pages = [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', *(ROOT / 'docs').glob('*.md')]
    for page in pages:
        for target in re.findall(r'\]\((?!https?:)([^)#]+)', page.read_text()):
            assert (page.parent / target).exists(), f'{page.name} links to {target}'
