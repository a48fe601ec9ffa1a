from __future__ import annotations

import pytest

from magma_ros.benchmarks import session_statistics


def test_scipy_agrees() -> None:
    assert max(session_statistics.scipy_disagreements()) < session_statistics.AGREEMENT


def test_statsmodels_agrees() -> None:
    pytest.importorskip('statsmodels')

    assert max(session_statistics.statsmodels_disagreements()) < session_statistics.AGREEMENT


def test_false_alarms_and_disagreements_have_goals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_statistics, 'false_alarm_bound', lambda *given: 0.06)
    monkeypatch.setattr(session_statistics, 'scipy_disagreements', lambda: iter([0.0, 1e-8]))
    monkeypatch.setattr(session_statistics, 'find_spec', lambda name: None)

    entries = {entry.name: entry for entry in session_statistics.measure()}

    assert not any(entry.is_passed for entry in entries.values())
    assert set(entries) == {
        'session-false-alarms-paired',
        'session-false-alarms-unpaired',
        'session-statistics-scipy',
    }
