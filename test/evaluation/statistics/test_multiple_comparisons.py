from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.evaluation.statistics.multiple_comparisons import holm_adjusted


def test_worked_example() -> None:
    # 4 x 0.005; then 3 x 0.01; then 2 x 0.03; 0.04 must not come before 0.03.
    assert holm_adjusted([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0.0, 1.0), max_size=8))
def test_between_the_plain_p_and_bonferroni_in_the_same_order(p_values: list[float]) -> None:
    adjusted = holm_adjusted(p_values)

    for p, one in zip(p_values, adjusted, strict=True):
        assert p <= one <= min(1.0, len(p_values) * p)
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    assert [adjusted[at] for at in order] == sorted(adjusted)
