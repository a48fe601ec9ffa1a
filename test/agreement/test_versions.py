import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

import magma_ros

CHECKOUT = Path(__file__).resolve().parents[2]
INTERFACES = CHECKOUT / 'interfaces'


def manifest(directory=CHECKOUT):
    return ElementTree.parse(directory / 'package.xml').getroot()


def test_package_and_manifest_have_the_same_version():
    assert magma_ros.__version__ == manifest().findtext('version')


def test_version_is_semantic():
    assert re.fullmatch(r'\d+\.\d+\.\d+', magma_ros.__version__)


def test_setup_reads_the_version_from_the_manifest():
    setup = (CHECKOUT / 'setup.py').read_text()

    assert "'package.xml'" in setup
    assert magma_ros.__version__ not in setup


@pytest.mark.parametrize(
    'name', sorted(path.parent.name for path in INTERFACES.glob('*/package.xml'))
)
def test_every_interface_package_lists_exactly_its_files(name):
    package = INTERFACES / name
    listed = re.findall(r'"(.+\.(?:msg|srv|action))"', (package / 'CMakeLists.txt').read_text())
    there = [
        file.relative_to(package).as_posix()
        for kind in ('msg', 'srv', 'action')
        for file in package.glob(f'{kind}/*.{kind}')
    ]

    assert sorted(listed) == sorted(there)
    assert manifest(package).findtext('name') == name


def test_a_ros_workspace_never_builds_our_interfaces():
    assert (INTERFACES / 'COLCON_IGNORE').is_file()


def test_manifest_depends_on_every_interface_package():
    depends = {element.text for element in manifest().findall('exec_depend')}

    assert {
        path.parent.name for path in (CHECKOUT / 'interfaces').glob('*/package.xml')
    } <= depends
