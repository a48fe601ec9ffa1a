from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from magma_ros.errors import ConfigurationError, EnvironmentMissing
from magma_ros.tools import session_report


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    session_report.add_actions(parser.add_subparsers(dest='action', required=True))
    return session_report.run(parser.parse_args(arguments))


def test_power_says_how_many_trials(capsys: pytest.CaptureFixture[str]) -> None:
    assert run('power', '--from', '0.5', '--to', '0.8') == 0

    text = capsys.readouterr().out
    assert 'To see 0.5 -> 0.8 with a chance of 0.8 (alpha 0.05)' in text
    assert '40 trials of each' in text


def test_power_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run('power', '--from', '0.5', '--to', '0.8', '--paired', '--json') == 0

    plan = json.loads(capsys.readouterr().out)
    assert 'unpaired' not in plan
    assert plan['paired']['power'] >= 0.8
    assert plan['sequential']['mean_pairs'] < plan['paired']['trials'] + 5


@pytest.mark.parametrize('option', ['--power=1.5', '--alpha=0', '--difficulty=-1', '--to=0.7'])
def test_senseless_plans_are_refused(option: str) -> None:
    with pytest.raises(ConfigurationError, match='give'):
        run('power', option)


def test_no_session_no_report(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match='is no session'):
        run('report', str(tmp_path))


def test_a_key_is_not_opened_for_a_report_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise EnvironmentMissing('pip install')

    monkeypatch.setattr(session_report, 'require_packages', refuse)
    monkeypatch.setattr(session_report, 'unseal', lambda *given: pytest.fail('opened'))

    with pytest.raises(EnvironmentMissing):
        run('report', str(tmp_path))
