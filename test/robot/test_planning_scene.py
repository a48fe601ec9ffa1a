"""What stands around the arm, from its YAML."""

import pytest

from magma_ros.errors import ConfigurationError
from magma_ros.resources import config_path
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.robot.planning_scene import load_planning_scene

PROFILE = load_arm_profile('wx250s')
TEXT = config_path('planning_scene.yaml').read_text()


def edges(box):
    return [
        (centre - size / 2, centre + size / 2)
        for centre, size in zip(box.centre_in_base_m, box.size_m, strict=True)
    ]


@pytest.mark.parametrize('arm', ['wx250s', 'wxai', 'panda', 'fr3'])
def test_no_box_reaches_into_the_workspace(arm):
    profile = load_arm_profile(arm)
    limits = profile.limits

    for box in load_planning_scene(profile):
        apart = [
            low >= box_high or high <= box_low
            for (low, high), box_low, box_high in zip(
                edges(box), limits.box_min_m, limits.box_max_m, strict=True
            )
        ]
        assert any(apart), box


def test_walls_stand_around_the_workspace_box():
    boxes = {box.name: box for box in load_planning_scene(PROFILE)}

    assert edges(boxes['wall_front'])[0] == pytest.approx((0.65, 0.67))
    assert edges(boxes['wall_left'])[1] == pytest.approx((0.40, 0.42))
    assert edges(boxes['wall_right'])[1] == pytest.approx((-0.42, -0.40))
    assert edges(boxes['wall_front'])[2] == pytest.approx((0.0, 0.8))
    assert edges(boxes['table'])[2][1] == pytest.approx(-0.06)


def test_parts_can_be_left_out(tmp_path):
    path = tmp_path / 'scene.yaml'
    path.write_text('planning_scene: {table: null, walls: null, camera_post: null}')

    assert load_planning_scene(PROFILE, path) == ()


@pytest.mark.parametrize(
    ('right', 'wrong', 'message'),
    [
        ('top_m: -0.06', 'top_mm: -60', "table must have the keys .*'top_m'"),
        ('top_m: -0.06', 'top_m: -60', 'top_m is -60; it must be a number in m, at most 5'),
        ('thickness_m: 0.05', 'thickness_m: 0', 'thickness_m is 0; .* above 0'),
        ('margin_m: 0.20', 'margin_m: .nan', 'margin_m is nan'),
        ('margin_m: 0.20', 'margin_m: true', 'margin_m is True'),
        ('[front, left, right]', '[front, top]', r"some of \['front', 'back', 'left', 'right'\]"),
        ('[0.75, 0.45, 0.30]', '[0.75, 0.45]', 'centre_m is .* 3 numbers'),
        ('[-0.40, -0.60]', '[-0.40, 0.60]', 'min_xy_m must be below max_xy_m'),
        ('camera_post:', 'camera:', 'planning_scene must have the keys'),
        ('planning_scene:', 'scene:', 'needs a section planning_scene'),
        ('planning_scene:', 'planning_scene: [', 'needs a section planning_scene'),
    ],
)
def test_bad_values_are_named_with_what_would_be_right(tmp_path, right, wrong, message):
    assert right in TEXT
    path = tmp_path / 'scene.yaml'
    path.write_text(TEXT.replace(right, wrong, 1))

    with pytest.raises(ConfigurationError, match=message):
        load_planning_scene(PROFILE, path)
