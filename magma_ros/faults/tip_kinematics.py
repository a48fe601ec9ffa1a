"""Where the tool centre point is, straight from the URDF text.

The judge's own: nothing of ``robot/kinematics.py``, by which the controller moves, is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np
from scipy.spatial.transform import Rotation

from magma_ros.data_types import FloatArray
from magma_ros.errors import ConfigurationError


@dataclass(frozen=True)
class _Joint:
    name: str
    origin: FloatArray  # (4, 4) in the parent link
    axis: FloatArray | None  # (3,); None: fixed


class TipKinematics:
    """The chain of joints from ``base_link`` to ``tip_link``.

    Raises:
        ConfigurationError: no such chain in the URDF.
    """

    def __init__(
        self, urdf: str, joint_names: tuple[str, ...], base_link: str, tip_link: str
    ) -> None:
        by_child = {
            one.find('child').attrib['link']: one  # type: ignore[union-attr]
            for one in ElementTree.fromstring(urdf).iter('joint')
            if one.find('child') is not None
        }
        chain, link = [], tip_link
        while link != base_link:
            if link not in by_child:
                raise ConfigurationError(f'no chain from {base_link} to {tip_link} in the URDF')
            joint = by_child[link]
            chain.append(_read(joint, joint_names))
            link = joint.find('parent').attrib['link']  # type: ignore[union-attr]
        self._chain = chain[::-1]
        self._order = {name: place for place, name in enumerate(joint_names)}

    def tip(self, joints_rad: FloatArray) -> FloatArray:
        """Position (3,) of the tool centre point in the base frame, m."""
        place = np.eye(4)
        for joint in self._chain:
            place = place @ joint.origin
            if joint.axis is not None:
                turn = np.eye(4)
                turn[:3, :3] = _turn(joint.axis, float(joints_rad[self._order[joint.name]]))
                place = place @ turn
        return place[:3, 3]


def _read(joint: ElementTree.Element, joint_names: tuple[str, ...]) -> _Joint:
    origin = np.eye(4)
    described = joint.find('origin')
    if described is not None:
        origin[:3, 3] = _numbers(described.get('xyz', '0 0 0'))
        rpy = _numbers(described.get('rpy', '0 0 0'))
        origin[:3, :3] = Rotation.from_euler('xyz', rpy).as_matrix()
    name = joint.attrib['name']
    axis = joint.find('axis')
    moves = name in joint_names
    along = _numbers(axis.get('xyz', '1 0 0') if axis is not None else '1 0 0')
    return _Joint(name, origin, along / np.linalg.norm(along) if moves else None)


def _turn(axis: FloatArray, angle_rad: float) -> FloatArray:
    """Rotation matrix about a unit axis (Rodrigues)."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + np.sin(angle_rad) * cross + (1.0 - np.cos(angle_rad)) * cross @ cross


def _numbers(text: str) -> FloatArray:
    return np.array([float(word) for word in text.split()])
