from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.data_types import Pose
from magma_ros.model.network.magma_config import MAGMA_NANO
from magma_ros.model.text.state_text import format_state, quantise_state, state_values
from magma_ros.rotations import down_with_euler

TABLE = MAGMA_NANO.state or pytest.fail('magma-nano must have a state table')


def test_values_are_away_from_straight_down() -> None:
    rotation = down_with_euler(np.array([0.1, -0.2, 0.9]))
    values = state_values(Pose(np.array([0.3, 0.1, 0.2]), rotation.as_quat()), 0.5)
    assert values == pytest.approx([0.3, 0.1, 0.2, 0.1, -0.2, 0.9, 0.5])


def test_ends_and_middle() -> None:
    assert quantise_state(TABLE.low, TABLE) == [0] * 7
    assert quantise_state(TABLE.high, TABLE) == [255] * 7
    middle = (np.array(TABLE.low) + TABLE.high) / 2
    assert set(quantise_state(middle, TABLE)) <= {127, 128}


def test_line() -> None:
    assert format_state([9, -9, 9, -9, 9, -9, 1], TABLE) == 'State: [255,0,255,0,255,0,255]\n'


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0.0, 1.0), min_size=7, max_size=7))
def test_error_is_at_most_half_a_level(parts: list[float]) -> None:
    low, high = np.array(TABLE.low), np.array(TABLE.high)
    values = low + np.array(parts) * (high - low)
    again = low + np.array(quantise_state(values, TABLE), dtype=float) / 255 * (high - low)
    assert np.all(np.abs(again - values) <= (high - low) / 510 + 1e-12)
