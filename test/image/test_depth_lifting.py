"""With a camera that looks straight down, so that every number can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from magma_ros.data_types import CameraModel, DepthImage, GripperEvent, PixelTrace
from magma_ros.errors import CameraError
from magma_ros.image.depth_lifting import deproject, find_block, lift_trace
from magma_ros.rotations import make_pose

HEIGHT_M, FOCAL_PX = 0.6, 400.0
# Optical axis along base -z, image x along base y, image y along base x.
DOWNWARDS = Rotation.from_matrix(np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]]))
CAMERA = CameraModel(
    320,
    240,
    FOCAL_PX,
    FOCAL_PX,
    160.0,
    120.0,
    make_pose(np.array([0.3, 0.0, HEIGHT_M]), DOWNWARDS),
)
EDGE_M = 0.032
CLOSE, OPEN = GripperEvent.CLOSE, GripperEvent.OPEN


def table(*blocks: tuple[float, float, float]) -> DepthImage:
    """Depth of an empty table with blocks at x, y (m), yaw (rad)."""
    empty = DepthImage(np.full((240, 320), HEIGHT_M, np.float32), 0)
    depth = empty.depth_m.copy()
    # Where a pixel's ray meets the plane of the tops.
    share = 1 - EDGE_M / HEIGHT_M
    ground = deproject(empty, CAMERA)[..., :2]
    tops = CAMERA.pose_camera_in_base.translation_m[:2] * (1 - share) + share * ground
    for x, y, yaw in blocks:
        back = np.array([[np.cos(yaw), np.sin(yaw)], [-np.sin(yaw), np.cos(yaw)]])
        own = (tops - [x, y]) @ back.T
        depth[(np.abs(own) < EDGE_M / 2).all(axis=-1)] = HEIGHT_M - EDGE_M
    return DepthImage(depth, 0)


def pixel(x: float, y: float, z: float) -> np.ndarray:
    depth = HEIGHT_M - z
    return np.array([160 + FOCAL_PX * y / depth, 120 + FOCAL_PX * (x - 0.3) / depth])


def trace(*points: np.ndarray, events: dict[int, GripperEvent] | None = None) -> PixelTrace:
    return PixelTrace(1, points[0], np.array(points), events or {})


def quarter_error(one: float, other: float) -> float:
    return float((one - other + np.pi / 4) % (np.pi / 2) - np.pi / 4)


def test_deprojection_inverts_the_projection() -> None:
    cloud = deproject(table(), CAMERA)

    x, y = pixel(0.35, -0.1, 0.0)
    assert cloud[int(y), int(x)] == pytest.approx([0.35, -0.1, 0.0], abs=0.002)
    assert cloud.shape == (240, 320, 3)


def test_missing_depth_is_not_a_number() -> None:
    depth = table().depth_m.copy()
    depth[5, 7] = 0.0

    cloud = deproject(DepthImage(depth, 0), CAMERA)

    assert np.isnan(cloud[5, 7]).all()
    assert np.isfinite(cloud).all(axis=-1).sum() == 240 * 320 - 1


@settings(deadline=None, max_examples=25)
@given(
    st.floats(0.24, 0.36),
    st.floats(-0.1, 0.1),
    st.floats(-0.78, 0.78),
    st.floats(-0.012, 0.012),
    st.floats(-0.012, 0.012),
)
def test_a_point_near_a_block_becomes_its_centre_and_yaw(
    x: float, y: float, yaw: float, off_x: float, off_y: float
) -> None:
    depth = table((x, y, yaw))

    path = lift_trace(trace(pixel(x + off_x, y + off_y, EDGE_M), events={0: CLOSE}), depth, CAMERA)

    assert path.points_in_base_m[0] == pytest.approx([x, y, EDGE_M], abs=0.003)
    assert abs(quarter_error(path.yaw_rad[0], yaw)) < 0.12
    assert abs(path.yaw_rad[0]) <= np.pi / 4 + 1e-9
    assert path.events == {0: CLOSE}


def test_only_events_and_the_last_point_are_lifted() -> None:
    depth = table((0.3, 0.0, 0.0))
    points = [pixel(0.3, 0.0, EDGE_M), pixel(0.1, 0.1, 0), pixel(0.32, 0.1, 0)]
    points += [pixel(0.35, 0.1, 0.0), pixel(0.36, 0.12, 0.0)]

    path = lift_trace(trace(*points, events={0: CLOSE, 3: OPEN}), depth, CAMERA)

    assert path.events == {0: CLOSE, 1: OPEN}
    assert len(path.points_in_base_m) == 3
    assert path.points_in_base_m[1] == pytest.approx([0.35, 0.1, 0.0], abs=0.003)
    assert path.points_in_base_m[2] == pytest.approx([0.36, 0.12, 0.0], abs=0.003)


def test_a_place_to_open_is_taken_as_drawn_even_beside_a_block() -> None:
    depth = table((0.3, 0.0, 0.0))
    drawn = (0.3, 0.022, 0.0)

    path = lift_trace(trace(pixel(*drawn), events={0: OPEN}), depth, CAMERA)

    assert path.points_in_base_m[0] == pytest.approx(drawn, abs=0.003)


def test_without_a_block_the_surface_is_taken() -> None:
    path = lift_trace(trace(pixel(0.3, 0.05, 0.0)), table(), CAMERA)

    assert path.points_in_base_m[0] == pytest.approx([0.3, 0.05, 0.0], abs=0.003)
    assert path.yaw_rad.tolist() == [0.0]


def test_a_push_is_aimed_through_the_middle_of_the_block() -> None:
    depth = table((0.30, 0.0, 0.3))
    beside, end = (0.312, -0.045, 0.0), (0.312, 0.09, 0.0)

    path = lift_trace(trace(pixel(*beside), pixel(*end), events={0: CLOSE}), depth, CAMERA)

    start, goal = path.points_in_base_m
    assert start[:2] == pytest.approx([0.30, -0.05], abs=0.004)
    assert goal[:2] == pytest.approx([0.30, 0.09], abs=0.004)


def test_a_put_with_a_way_back_is_no_push() -> None:
    depth = table((0.30, 0.0, 0.0))
    cube, place, away = (0.30, 0.01, EDGE_M), (0.34, 0.1, 0.0), (0.36, 0.1, 0.0)

    path = lift_trace(
        trace(pixel(*cube), pixel(*place), pixel(*away), events={0: CLOSE, 1: OPEN}), depth, CAMERA
    )

    assert path.points_in_base_m[0] == pytest.approx([0.30, 0.0, EDGE_M], abs=0.003)


def test_two_blocks_are_told_apart() -> None:
    cloud = deproject(table((0.30, 0.0, 0.0), (0.30, 0.075, 0.5)), CAMERA)

    first = find_block(cloud, np.array([0.30, 0.0, 0.0]))
    second = find_block(cloud, np.array([0.30, 0.075, 0.0]))

    assert first is not None
    assert second is not None
    assert first.centre_m[:2] == pytest.approx([0.30, 0.0], abs=0.003)
    assert second.centre_m[:2] == pytest.approx([0.30, 0.075], abs=0.003)
    assert find_block(cloud, np.array([0.25, -0.1, 0.0])) is None


def test_depth_of_another_size_names_both_sizes() -> None:
    depth = DepthImage(np.ones((120, 160), np.float32), 0)

    with pytest.raises(CameraError, match=r'\(160, 120\).*320x240.*align_depth'):
        lift_trace(trace(pixel(0.3, 0.0, 0.0)), depth, CAMERA)


def test_no_depth_at_a_contact_says_where() -> None:
    depth = DepthImage(np.zeros((240, 320), np.float32), 0)

    with pytest.raises(CameraError, match=r'no depth within 3 px of \(160, 120\)'):
        lift_trace(trace(np.array([160.4, 120.2])), depth, CAMERA)


def test_a_hole_in_the_depth_is_bridged_by_its_neighbours() -> None:
    depth = table().depth_m.copy()
    depth[118:122, 158:162] = 0.0

    path = lift_trace(trace(np.array([160.0, 120.0])), DepthImage(depth, 0), CAMERA)

    assert path.points_in_base_m[0] == pytest.approx([0.3, 0.0, 0.0], abs=0.003)


def test_a_point_outside_of_the_picture_is_taken_at_its_edge() -> None:
    path = lift_trace(trace(np.array([-40.0, 500.0])), table(), CAMERA)

    corner = deproject(table(), CAMERA)[239, 0]
    assert path.points_in_base_m[0] == pytest.approx(corner, abs=0.006)
