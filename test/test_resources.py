import os
import subprocess
import sys
from pathlib import Path

import pytest

from magma_ros.errors import ConfigurationError
from magma_ros.resources import asset_path, config_path, share_directory, urdf_path

CHECKOUT = Path(__file__).resolve().parents[1]


def test_files_of_the_checkout_are_found():
    assert config_path('fastdds_shared_memory.xml').is_file()
    assert urdf_path('wx250s.urdf.xacro').is_file()
    assert asset_path('action_statistics').is_dir()


def test_a_wrong_name_lists_the_right_ones():
    with pytest.raises(ConfigurationError, match='fastdds_shared_memory.xml'):
        config_path('fastdds.xml')


def test_paths_do_not_leave_the_directory():
    with pytest.raises(ConfigurationError, match='is not in'):
        config_path('../setup.py')


@pytest.mark.parametrize('layout', ['lib/python3.12/site-packages', 'site-packages'])
def test_installed_files_are_found_in_the_prefix(tmp_path, layout):
    package = tmp_path / layout / 'magma_ros'
    package.mkdir(parents=True)
    for name in ('__init__', 'errors', 'resources'):
        (package / f'{name}.py').write_text((CHECKOUT / f'magma_ros/{name}.py').read_text())
    share = tmp_path / 'share' / 'magma_ros'
    (share / 'config').mkdir(parents=True)
    (share / 'package.xml').touch()
    # colcon names its prefixes in a variable; pip's are found from the package itself.
    prefixes = {} if layout.startswith('lib') else {'AMENT_PREFIX_PATH': f'/absent:{tmp_path}'}
    code = 'from magma_ros.resources import share_directory; print(share_directory())'

    result = subprocess.run(
        [sys.executable, '-c', code],
        env={**os.environ, **prefixes, 'PYTHONPATH': str(package.parent)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout.strip() == str(share)


def test_checkout_comes_before_any_installation(monkeypatch, tmp_path):
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))

    assert share_directory() == CHECKOUT
