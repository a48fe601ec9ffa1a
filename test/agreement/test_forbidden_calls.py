"""What must not be in the source: code from data, swallowed errors, a machine's own paths."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from source_files import CHECKOUT, imported_modules, package_files

FILES = [*package_files(), *sorted((CHECKOUT / 'launch').glob('*.py')), CHECKOUT / 'setup.py']
UNSAFE_MODULES = {'pickle', 'cPickle', 'dill', 'cloudpickle', 'joblib', 'shelve', 'marshal'}
UNSAFE_CALLS = {'eval', 'exec', 'compile', '__import__', 'os.system'}
UNSAFE_CALLS |= {'yaml.load', 'yaml.unsafe_load', 'torch.load'}
UNSAFE_OPTIONS = {('trust_remote_code', True), ('allow_pickle', True), ('shell', True)}
BROAD = {'Exception', 'BaseException'}
TEXTS = [
    path
    for folder in ('magma_ros', 'launch', 'config', 'urdf', 'docs', 'interfaces', '.ci')
    for path in sorted((CHECKOUT / folder).rglob('*'))
    if path.suffix in {'.py', '.md', '.yaml', '.yml', '.xacro', '.xml', '.sh', '.html', '.txt'}
] + [path for name in ('Makefile', 'README.md') if (path := CHECKOUT / name).is_file()]
MACHINE_PATH = re.compile(r'(?<![\w.~-])/(work|root|home/\w+|Users/\w+)/')


def find_unsafe(source: str) -> Iterator[str]:
    tree = ast.parse(source)
    yield from (m for m in imported_modules(tree) if m.split('.')[0] in UNSAFE_MODULES)
    for call in ast.walk(tree):
        if isinstance(call, ast.Call):
            yield from (f'line {call.lineno}: {what}' for what in _unsafe_parts(call))


def _unsafe_parts(call: ast.Call) -> Iterator[str]:
    called = ast.unparse(call.func)
    if called in UNSAFE_CALLS:
        yield called
    for option in call.keywords:
        if (option.arg, getattr(option.value, 'value', None)) in UNSAFE_OPTIONS:
            yield f'{option.arg}'


def find_swallowed(source: str) -> Iterator[str]:
    """Broad handlers without a word about why; those that raise the same error again are fine."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ExceptHandler):
            continue
        names = (
            {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)} if node.type else BROAD
        )
        last = node.body[-1]
        raises_again = isinstance(last, ast.Raise) and last.exc is None
        explained = any('#' in lines[at] for at in (node.lineno - 1, node.lineno - 2, node.lineno))
        if names & BROAD and not raises_again and not explained:
            yield f'line {node.lineno}'


def name_of(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


@pytest.mark.parametrize('path', FILES, ids=name_of)
def test_no_code_comes_from_data(path: Path) -> None:
    assert list(find_unsafe(path.read_text(encoding='utf-8'))) == []


@pytest.mark.parametrize('path', FILES, ids=name_of)
def test_broad_handlers_say_why(path: Path) -> None:
    assert list(find_swallowed(path.read_text(encoding='utf-8'))) == []


@pytest.mark.parametrize('path', TEXTS, ids=name_of)
def test_no_path_of_a_machine(path: Path) -> None:
    found = MACHINE_PATH.search(path.read_text(encoding='utf-8'))

    assert found is None


@pytest.mark.parametrize(
    'source',
    [
        'import pickle',
        'from joblib import load',
        'eval("1")',
        'yaml.load(text)',
        'torch.load(path, weights_only=False)',
        'from_pretrained(name, trust_remote_code=True)',
        'np.load(path, allow_pickle=True)',
        'subprocess.run(text, shell=True)',
    ],
)
def test_each_unsafe_call_is_noticed(source: str) -> None:
    assert len(list(find_unsafe(source))) == 1


def test_harmless_namesakes_are_left_alone() -> None:
    source = 'model.eval()\nnp.load(path, allow_pickle=False)\nYAML(typ="safe").load(text)'

    assert list(find_unsafe(source)) == []


@pytest.mark.parametrize(
    ('handler', 'noticed'),
    [
        ('except Exception:\n    pass', True),
        ('except:\n    pass', True),
        ('except (ValueError, BaseException) as e:\n    log(e)', True),
        ('except ValueError:\n    pass', False),
        ('except Exception:\n    tidy()\n    raise', False),
        ('# The vendor raises anything.\nexcept Exception:\n    log()', False),
    ],
)
def test_swallowed_errors_are_noticed(handler: str, noticed: bool) -> None:
    assert bool(list(find_swallowed(f'try:\n    run()\n{handler}'))) is noticed
