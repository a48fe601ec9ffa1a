from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from magma_ros.errors import ConfigurationError
from magma_ros.resources import urdf_path
from magma_ros.robot.description import read_description


def test_xacro_arguments_are_filled_in() -> None:
    robot = ElementTree.fromstring(
        read_description(urdf_path('wx250s.urdf.xacro'), {'robot_name': 'left'})
    )

    links = {link.get('name') for link in robot.findall('link')}
    assert 'left/ee_gripper_link' in links
    assert all(str(name).startswith('left/') for name in links)
    assert {joint.get('name') for joint in robot.findall('joint')} >= {'waist', 'left_finger'}


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r'arm\.urdf does not exist.*"urdf"'):
        read_description(tmp_path / 'arm.urdf')


def test_broken_macro_is_named(tmp_path: Path) -> None:
    path = tmp_path / 'arm.xacro'
    path.write_text(
        '<robot name="arm" xmlns:xacro="http://www.ros.org/wiki/xacro"><xacro:nothing/></robot>'
    )

    with pytest.raises(ConfigurationError, match=r'arm\.xacro does not expand.*nothing'):
        read_description(path)
