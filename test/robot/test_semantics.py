"""SRDF files against the descriptions they speak of: names, named states, disabled collisions."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache
from xml.etree import ElementTree

import numpy as np
import pinocchio
import pytest
from ruamel.yaml import YAML

from magma_ros.resources import config_path
from magma_ros.robot.arm_profile import ArmProfile, load_arm_profile
from magma_ros.robot.moveit_parameters import robot_description, robot_semantics

ARMS = ('wx250s', 'panda', 'fr3')
PARKED = {'sleep'}  # where torque goes off: singular on purpose
RANDOM_POSES = 400


@dataclass(frozen=True)
class Robot:
    """One arm with its collision shapes and what the SRDF says."""

    profile: ArmProfile
    urdf: ElementTree.Element
    srdf: ElementTree.Element
    model: pinocchio.Model
    shapes: pinocchio.GeometryModel

    def shapes_of(self, link: str) -> list[int]:
        frame = self.model.getFrameId(link)
        objects = enumerate(self.shapes.geometryObjects)
        return [index for index, shape in objects if shape.parentFrame == frame]

    def solid_links(self) -> list[str]:
        frames = {shape.parentFrame for shape in self.shapes.geometryObjects}
        return sorted(self.model.frames[frame].name for frame in frames)

    def disabled(self) -> dict[frozenset[str], str]:
        return {
            frozenset((pair.attrib['link1'], pair.attrib['link2'])): pair.attrib['reason']
            for pair in self.srdf.iterfind('disable_collisions')
        }

    def position(self, named: dict[str, float]) -> np.ndarray:
        """Joint vector with some joints given, mimicking fingers included."""
        position = pinocchio.neutral(self.model)
        for joint in self.urdf.iterfind('joint'):
            mimic = joint.find('mimic')
            if mimic is not None and mimic.attrib['joint'] in named:
                factor = float(mimic.get('multiplier', 1))
                named = {**named, joint.attrib['name']: factor * named[mimic.attrib['joint']]}
        for name, value in named.items():
            position[self.model.joints[self.model.getJointId(name)].idx_q] = value
        return position

    def random_positions(self, count: int) -> list[np.ndarray]:
        profile, random = self.profile, np.random.default_rng(7)
        low, high = np.array(profile.joint_lower_rad), np.array(profile.joint_upper_rad)
        fingers = sorted((profile.finger_closed_m, profile.finger_open_m))
        return [
            self.position(
                {
                    **dict(zip(profile.joint_names, random.uniform(low, high), strict=True)),
                    profile.gripper_joint: random.uniform(*fingers),
                }
            )
            for _ in range(count)
        ]

    def shape_pairs(
        self, pairs: list[frozenset[str]]
    ) -> tuple[pinocchio.GeometryModel, list[int]]:
        """Shapes with the collision pairs of these links only, and which links each is of."""
        shapes, owner = self.shapes.copy(), []
        shapes.removeAllCollisionPairs()
        for place, (one, other) in enumerate(sorted(pair) for pair in pairs):
            for first, second in itertools.product(self.shapes_of(one), self.shapes_of(other)):
                shapes.addCollisionPair(pinocchio.CollisionPair(first, second))
                owner.append(place)
        return shapes, owner

    def checked(self) -> list[frozenset[str]]:
        """Pairs of links that MoveIt checks."""
        every = {frozenset(pair) for pair in itertools.combinations(self.solid_links(), 2)}
        return sorted(every - set(self.disabled()), key=sorted)

    def collisions(self, pairs: list[frozenset[str]], positions: list[np.ndarray]) -> np.ndarray:
        """Whether each pair of links touches in each position: (positions, pairs)."""
        shapes, owner = self.shape_pairs(pairs)
        data, shape_data = self.model.createData(), shapes.createData()
        hits = np.zeros((len(positions), len(pairs)), dtype=bool)
        for row, position in enumerate(positions):
            pinocchio.computeCollisions(self.model, data, shapes, shape_data, position, False)
            for place, result in zip(owner, shape_data.collisionResults, strict=True):
                hits[row, place] |= result.isCollision()
        return hits


@cache
def robot(arm: str) -> Robot:
    profile = load_arm_profile(arm)
    text = robot_description(profile)
    model = pinocchio.buildModelFromXML(text)
    shapes = pinocchio.buildGeomFromUrdfString(model, text, pinocchio.GeometryType.COLLISION)
    semantics = ElementTree.fromstring(robot_semantics(profile))
    return Robot(profile, ElementTree.fromstring(text), semantics, model, shapes)


def named_states(arm: str, group: str) -> dict[str, dict[str, float]]:
    return {
        state.attrib['name']: {
            joint.attrib['name']: float(joint.attrib['value']) for joint in state.iterfind('joint')
        }
        for state in robot(arm).srdf.iterfind('group_state')
        if state.attrib['group'] == group
    }


@pytest.mark.parametrize('arm', ARMS)
def test_every_name_exists(arm: str) -> None:
    it = robot(arm)
    links = {link.attrib['name'] for link in it.urdf.iterfind('link')}
    joints = {joint.attrib['name'] for joint in it.urdf.iterfind('joint')}
    groups = {group.attrib['name'] for group in it.srdf.iterfind('group')}

    for node in it.srdf.iter():
        if node.tag in ('joint', 'passive_joint'):
            assert node.attrib['name'] in joints
        for key in ('base_link', 'tip_link', 'link1', 'link2', 'parent_link'):
            assert node.get(key, it.profile.tip_link) in links
        for key in ('group', 'parent_group'):
            assert node.get(key, it.profile.planning_group) in groups


@pytest.mark.parametrize('arm', ARMS)
def test_the_planning_group_is_the_chain_of_the_profile(arm: str) -> None:
    it = robot(arm)
    chain = it.srdf.find(f"group[@name='{it.profile.planning_group}']/chain")

    assert chain is not None
    assert chain.attrib['base_link'] == it.profile.base_link
    assert chain.attrib['tip_link'] == it.profile.tip_link


@pytest.mark.parametrize('arm', ARMS)
def test_named_states_of_the_arm_are_legal_and_away_from_singularities(arm: str) -> None:
    profile, kinematics = robot(arm).profile, robot(arm).profile.kinematics()
    states = named_states(arm, profile.planning_group)

    assert 'start' in states
    for name, state in states.items():
        joints = np.array([state[joint] for joint in profile.joint_names])
        margin = 0.0 if name in PARKED else profile.joint_margin_rad
        assert (joints > kinematics.lower_rad + margin).all(), name
        assert (joints < kinematics.upper_rad - margin).all(), name
        if name not in PARKED:
            assert kinematics.condition(joints) < profile.singularity_slow, name


@pytest.mark.parametrize('arm', ARMS)
def test_states_say_what_the_profile_says(arm: str) -> None:
    profile = robot(arm).profile
    start = named_states(arm, profile.planning_group)['start']
    (group,) = {
        state.attrib['group'] for state in robot(arm).srdf.iterfind("group_state[@name='open']")
    }
    gripper = named_states(arm, group)

    assert [start[name] for name in profile.joint_names] == pytest.approx(profile.start_joints_rad)
    assert gripper['open'] == {profile.gripper_joint: profile.finger_open_m}
    assert gripper['closed'] == {profile.gripper_joint: profile.finger_closed_m}


@pytest.mark.parametrize('arm', ARMS)
def test_disabled_collisions_hide_none_that_can_happen(arm: str) -> None:
    it = robot(arm)
    disabled = it.disabled()
    pairs = list(disabled)
    share = it.collisions(pairs, it.random_positions(RANDOM_POSES)).mean(axis=0)

    for pair, touching in zip(pairs, share, strict=True):
        if disabled[pair] == 'Adjacent':
            assert pair in adjacent_pairs(it), f'{sorted(pair)} are not joined'
        elif disabled[pair] == 'Never':
            assert touching == 0, f'{sorted(pair)} touch in {touching:.1%} of all poses'
        else:
            assert disabled[pair] == 'Default'
            assert touching == 1, f'{sorted(pair)} touch in {touching:.1%} of all poses only'


@pytest.mark.parametrize('arm', ARMS)
def test_every_joined_pair_is_disabled(arm: str) -> None:
    """They overlap by design: with one of them checked, no state at all is free."""
    assert adjacent_pairs(robot(arm)) <= set(robot(arm).disabled())


@pytest.mark.parametrize('arm', ARMS)
def test_named_states_are_free_of_collisions(arm: str) -> None:
    it = robot(arm)
    checked = it.checked()
    states = named_states(arm, it.profile.planning_group)
    opened = {it.profile.gripper_joint: it.profile.finger_open_m}

    hits = it.collisions(checked, [it.position({**state, **opened}) for state in states.values()])

    for name, row in zip(states, hits, strict=True):
        assert not row.any(), (name, [sorted(checked[place]) for place in np.flatnonzero(row)])


@pytest.mark.parametrize('arm', ARMS)
def test_servo_is_not_slowed_by_the_arm_itself_at_the_start(arm: str) -> None:
    it = robot(arm)
    servo = YAML(typ='safe').load(config_path(f'moveit/{arm}/servo.yaml').read_text())
    shapes, _ = it.shape_pairs(it.checked())
    start = named_states(arm, it.profile.planning_group)['start']
    position = it.position({**start, it.profile.gripper_joint: it.profile.finger_open_m})
    data, shape_data = it.model.createData(), shapes.createData()

    pinocchio.computeDistances(it.model, data, shapes, shape_data, position)

    nearest = min(result.min_distance for result in shape_data.distanceResults)
    assert nearest > servo['self_collision_proximity_threshold']


def adjacent_pairs(it: Robot) -> set[frozenset[str]]:
    """Links with a shape that are joined directly or through links without any."""
    parents = {}
    for joint in it.urdf.iterfind('joint'):
        parent, child = joint.find('parent'), joint.find('child')
        if parent is not None and child is not None:
            parents[child.attrib['link']] = parent.attrib['link']
    solid, pairs = set(it.solid_links()), set()
    for link in solid:
        above = parents.get(link)
        while above is not None and above not in solid:
            above = parents.get(above)
        if above is not None:
            pairs.add(frozenset((link, above)))
    return pairs
