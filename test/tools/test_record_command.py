"""What the keys of ``magma record`` mean."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy')

from rich.console import Console  # noqa: E402

from magma_ros.ros.recorder_topics import RECORDER_SERVICES  # noqa: E402
from magma_ros.tools import record  # noqa: E402
from magma_ros.tools.magma import main  # noqa: E402


class Recorder:
    """Answers like the recorder."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.text, self.state = 'ready', {'state': 'ready'}

    def spin(self, duration_s: float) -> None:
        pass

    def ask(self, request: str) -> tuple[bool, str]:
        self.asked.append(request)
        self.state = {'state': 'ready'}
        if request == 'start':
            self.state = {'state': 'recording', 'episode': 'pick'}
        self.text = self.state['state']
        return request != 'keep', 'why not'

    def note(self, text: str) -> None:
        self.asked.append(f'note {text}')


def test_keys_become_requests(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    keys = iter([' ', '', 'n', 's', ' ', ' ', 'd', 'k', 'x', 'q'])
    monkeypatch.setattr(record, 'read_key', lambda: next(keys))
    monkeypatch.setattr(record, '_read_line', lambda prompt: 'slipped')
    recorder = Recorder()
    record.answer_keys(recorder, Console())  # type: ignore[arg-type]
    assert recorder.asked == [
        'start',
        'note slipped',
        'success',
        'start',
        'stop',
        'discard',
        'keep',
    ]
    printed = capsys.readouterr().out
    assert 'recording pick' in printed
    assert 'NOT DONE, why not' in printed


def test_every_service_has_a_key() -> None:
    requests = {
        record.request_of(key, state) for key in ' sfdk' for state in ('ready', 'recording')
    }
    assert requests == set(RECORDER_SERVICES)


def test_a_warning_is_in_the_line() -> None:
    state = {'state': 'recording', 'episode': 'pick'}
    assert record.describe_state('1.2 GB left', state) == 'recording pick; 1.2 GB left'
    assert record.describe_state('', {}) == 'no recorder is heard'


def test_without_a_terminal_the_services_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr('sys.stdin.isatty', lambda: False, raising=False)
    assert main(['record']) == 2
    assert '/magma/recorder/start' in capsys.readouterr().err
