import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.sim.trajectory_player import TrajectoryPlayer, TrajectoryPoint

START = np.array([0.1, -0.2])


def point(time_s, value, speed=0.0):
    return TrajectoryPoint(time_s, np.full(2, value), np.full(2, speed))


def test_stays_where_it_begins():
    player = TrajectoryPlayer(START)

    positions, velocities = player.at(100.0)

    np.testing.assert_array_equal(positions, START)
    np.testing.assert_array_equal(velocities, 0.0)


def test_goes_through_points_and_holds_the_last():
    player = TrajectoryPlayer(START)

    assert player.replace([point(1.0, 0.5, 0.3), point(2.0, 1.0)], 0.0)

    np.testing.assert_allclose(player.at(1.0)[0], 0.5)
    np.testing.assert_allclose(player.at(1.0)[1], 0.3)
    assert not player.is_done(1.9)
    np.testing.assert_allclose(player.at(5.0)[0], 1.0)
    assert player.is_done(2.0)


def test_points_that_are_past_are_left_out():
    player = TrajectoryPlayer(START)

    assert not player.replace([point(1.0, 0.5)], 2.0)
    np.testing.assert_array_equal(player.at(3.0)[0], START)
    assert player.replace([point(1.0, 0.5), point(4.0, 1.0)], 2.0)
    np.testing.assert_allclose(player.at(4.0)[0], 1.0)


def test_without_velocities_the_way_is_straight():
    player = TrajectoryPlayer(START)
    player.replace([TrajectoryPoint(2.0, START + 1.0)], 0.0)

    positions, velocities = player.at(0.5)

    np.testing.assert_allclose(positions, START + 0.25)
    np.testing.assert_allclose(velocities, 0.5)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.02, 1.0), st.floats(-0.5, 0.5), st.floats(0.05, 0.9))
def test_replacing_on_the_way_does_not_jump(end_s, goal, share):
    player = TrajectoryPlayer(START)
    player.replace([point(end_s, goal, 0.2), point(end_s + 0.1, goal)], 0.0)
    now_s = share * end_s
    before = player.at(now_s)

    player.replace([point(now_s + 0.05, goal + 0.3)], now_s)

    after = player.at(now_s + 1e-9)
    np.testing.assert_allclose(after[0], before[0], atol=1e-6)
    np.testing.assert_allclose(after[1], before[1], atol=1e-4)


@pytest.mark.parametrize('now_s', [0.0, 0.4])
def test_stop_stays(now_s):
    player = TrajectoryPlayer(START)
    player.replace([point(1.0, 1.0)], 0.0)
    here = player.at(now_s)[0].copy()

    player.stop(now_s)

    np.testing.assert_array_equal(player.at(9.0)[0], here)
