"""Nothing is injected where it was not asked for, or beside an arm that is not the fake one."""

import threading

import pytest

pytest.importorskip('rclpy')

from magma_ros.errors import ConfigurationError  # noqa: E402
from magma_ros.faults import fake_operator, hooked_node  # noqa: E402
from magma_ros.faults.chaos import Chaos  # noqa: E402
from magma_ros.faults.fake_arm import FakeArm  # noqa: E402
from magma_ros.faults.fake_camera import FakeCamera  # noqa: E402
from magma_ros.faults.fake_perception import FakePerception  # noqa: E402
from magma_ros.faults.guard import SWITCH, check_allowed  # noqa: E402
from magma_ros.faults.hooked_node import Defect, build_in  # noqa: E402
from magma_ros.faults.rig_commands import CommandServer  # noqa: E402

ALLOWED = {SWITCH: '1'}


@pytest.mark.parametrize('environment', [{}, {SWITCH: ''}, {SWITCH: '0'}, {SWITCH: 'yes'}])
def test_refused_without_the_switch(environment):
    with pytest.raises(ConfigurationError, match='only with MAGMA_FAULTS=1'):
        check_allowed(['fake_arm'], environment)


@pytest.mark.parametrize('publishers', [[], ['xs_sdk'], ['fake_arm', 'xs_sdk']])
def test_refused_beside_any_other_arm(publishers):
    with pytest.raises(ConfigurationError, match='only where fake_arm is the arm'):
        check_allowed(publishers, ALLOWED)


def test_allowed_with_the_switch_and_the_fake_arm():
    check_allowed(['fake_arm', 'fake_arm'], ALLOWED)
    check_allowed(None, ALLOWED)


def test_every_process_of_the_rig_asks_first(monkeypatch, capsys):
    monkeypatch.delenv(SWITCH, raising=False)

    for make in (Chaos, FakeCamera, FakePerception, lambda: FakeArm('wx250s', None)):
        with pytest.raises(ConfigurationError, match='only with MAGMA_FAULTS=1'):
            make()
    for run in (fake_operator.main, lambda: hooked_node.main(['controller_node', 'crash'])):
        assert run() == 2
        assert 'only with MAGMA_FAULTS=1' in capsys.readouterr().err


def test_defects_that_are_not_known_are_refused(monkeypatch, capsys):
    monkeypatch.setenv(SWITCH, '1')

    assert hooked_node.main(['controller_node', 'explode']) == 2
    assert "('controller_node', 'crash')" in capsys.readouterr().err


def test_a_defect_shows_once_or_for_ever_and_only_when_set_off():
    class Victim:
        def work(self):
            return 'done'

    class Other(Victim):
        def work(self):
            return 'done'

    def fail(victim):
        assert isinstance(victim, Victim)
        raise ValueError('asked for')

    once = build_in(Defect(Victim, 'work', fail))
    assert Victim().work() == 'done'
    once.set()
    with pytest.raises(ValueError, match='asked for'):
        Victim().work()
    assert Victim().work() == 'done'

    build_in(Defect(Other, 'work', fail, lasts=True)).set()
    for _ in range(2):
        with pytest.raises(ValueError, match='asked for'):
            Other().work()


def test_commands_are_answered_and_errors_are_answers():
    called = threading.Event()
    server = CommandServer({'go': lambda far: called.set() or {'far': far}})

    answer = server.answer('{"do": "go", "far": 3}')

    assert called.is_set()
    assert answer['far'] == 3
    assert answer['at_s'] > 0
    for line in ('{"do": "stay"}', '{"do": "go"}', 'no json'):
        assert 'error' in server.answer(line)
