from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.errors import ConfigurationError
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.robot.workspace_box import (
    MARGIN_M,
    WorkspaceBox,
    box_of,
    check_box,
    reach_of,
    write_box,
)

BOX = WorkspaceBox(np.array([0.15, -0.18, 0.02]), np.array([0.40, 0.17, 0.25]))
CORNERS = st.lists(
    st.tuples(*(st.floats(-0.5, 0.5) for _ in range(3))), min_size=2, max_size=8
).map(lambda corners: [np.array(corner) for corner in corners])


@settings(deadline=None, max_examples=50)
@given(corners=CORNERS, random=st.randoms())
def test_the_order_of_the_corners_does_not_matter(corners, random) -> None:
    shuffled = list(corners)
    random.shuffle(shuffled)

    one, other = box_of(corners), box_of(shuffled)

    assert one is not None
    assert other is not None
    assert (one.min_m == other.min_m).all()
    assert (one.max_m == other.max_m).all()
    for corner in corners:  # the arm never gets quite as far as it was led
        assert (corner >= one.min_m - MARGIN_M - 1e-12).all()
        assert (corner <= one.max_m + MARGIN_M + 1e-12).all()


@pytest.mark.parametrize('arm', ['wx250s', 'panda', 'fr3', 'wxai'])
def test_the_boxes_of_the_profiles_are_within_reach(arm: str) -> None:
    profile = load_arm_profile(arm)
    limits = profile.limits

    reach_m = reach_of(profile.kinematics())

    check_box(WorkspaceBox(np.array(limits.box_min_m), np.array(limits.box_max_m)), reach_m)


def test_a_thin_box_and_one_out_of_reach_are_refused() -> None:
    thin = box_of([np.array([0.2, -0.1, 0.02]), np.array([0.4, 0.1, 0.08])])
    far = box_of([np.array([0.2, -0.1, 0.02]), np.array([0.7, 0.6, 0.5])])
    assert thin is not None
    assert far is not None

    with pytest.raises(ConfigurationError, match='along z it must be at least'):
        check_box(thin, 1.0)
    with pytest.raises(ConfigurationError, match='the arm reaches 0.70 m'):
        check_box(far, 0.7)
    assert box_of([]) is None


@pytest.mark.parametrize('arm', ['wx250s', 'panda'])
def test_what_is_written_is_what_nodes_read(arm: str, tmp_path: Path) -> None:
    path, profile = tmp_path / 'table.yaml', load_arm_profile(arm)

    write_box(path, profile, BOX)
    read = load_arm_profile(str(path))

    assert read.name == arm
    assert read.box_recorded
    assert not profile.box_recorded
    assert read.limits.box_min_m == tuple(BOX.min_m)
    assert read.limits.box_max_m == tuple(BOX.max_m)
    assert read.limits.speed_m_s == profile.limits.speed_m_s
    assert read.joint_names == profile.joint_names


def test_comments_and_other_values_of_an_overlay_stay(tmp_path: Path) -> None:
    path = tmp_path / 'table.yaml'
    path.write_text(
        '# the table by the window\nprofile: wx250s\nlimits:\n'
        '  speed_m_s: 0.05  # first days\n  box_min_m: [0.1, -0.1, 0.1]  # old\n'
    )

    write_box(path, load_arm_profile('wx250s'), BOX)

    text = path.read_text()
    assert '# the table by the window' in text
    assert '# first days' in text
    assert load_arm_profile(str(path)).limits.speed_m_s == 0.05
    assert load_arm_profile(str(path)).limits.box_min_m == tuple(BOX.min_m)


def test_a_file_that_is_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    path, profile = tmp_path / 'table.yaml', load_arm_profile('wx250s')
    for text, complaint in (
        ('profile: panda\n', 'no overlay of wx250s'),
        ('a list\n', 'no overlay of wx250s'),
        ('profile: wx250s\nspeed: 3\n', 'unknown or missing keys'),
        ('profile: [\n', 'cannot be read'),
    ):
        path.write_text(text)
        with pytest.raises(ConfigurationError, match=complaint):
            write_box(path, profile, BOX)
        assert path.read_text() == text
    with pytest.raises(ConfigurationError, match=r'must end in \.yaml'):
        write_box(tmp_path / 'table', profile, BOX)
    with pytest.raises(ConfigurationError, match='cannot be written'):
        write_box(tmp_path / 'nowhere' / 'table.yaml', profile, BOX)


@pytest.mark.parametrize(
    ('text', 'complaint'),
    [
        ('limits: {}\n', 'profile'),
        ('profile: wx250\n', 'wx250s.yaml'),
        ('profile: wx250s\nname: mine\n', "unknown or missing keys \\['name'\\]"),
        ('profile: wx250s\nlimits: {speed: 1}\n', 'Did you mean speed_m_s'),
        ('profile: wx250s\nlimits: {speed_m_s: 150}\n', 'another unit'),
        ('profile: wx250s\nbox_recorded: 1\n', 'true or false'),
    ],
)
def test_a_wrong_overlay_is_refused(text: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / 'table.yaml'
    path.write_text(text)

    with pytest.raises(ConfigurationError, match=complaint):
        load_arm_profile(str(path))


def test_an_overlay_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r'overlay .*none\.yaml does not exist'):
        load_arm_profile(str(tmp_path / 'none.yaml'))
