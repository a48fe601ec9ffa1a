import subprocess
import sys
import types

import pytest

from magma_ros.errors import CameraError
from magma_ros.tools.magma import COMMANDS, Command, main


@pytest.fixture
def command(monkeypatch):
    """A subcommand ``greet`` whose module records what it was run with."""
    module = types.ModuleType('greet_module')
    module.seen = []
    module.add_arguments = lambda parser: parser.add_argument('--name', default='arm')
    module.run = lambda options: module.seen.append(options.name) or 3
    monkeypatch.setitem(sys.modules, 'greet_module', module)
    return module


COMMANDS_HERE = {
    'greet': Command('greet_module', 'greet the arm'),
    'broken': Command('module_that_does_not_exist', 'be never imported'),
}


def test_subcommand_gets_its_options_and_gives_the_exit_code(command):
    assert main(['greet', '--name', 'wx250s'], COMMANDS_HERE) == 3
    assert command.seen == ['wx250s']


def test_errors_that_name_a_next_step_have_no_traceback(command, capsys):
    def fail(options):
        raise CameraError('no picture: start the camera driver')

    command.run = fail

    assert main(['greet'], COMMANDS_HERE) == 2
    assert capsys.readouterr().err == 'magma greet: no picture: start the camera driver\n'


def test_bugs_keep_their_traceback(command):
    def fail(options):
        raise ValueError('broken invariant')

    command.run = fail

    with pytest.raises(ValueError, match='broken invariant'):
        main(['greet'], COMMANDS_HERE)


def test_interrupt_is_not_an_error(command):
    def interrupt(options):
        raise KeyboardInterrupt

    command.run = interrupt

    assert main(['greet'], COMMANDS_HERE) == 130


@pytest.mark.parametrize('arguments', [[], ['--help']])
def test_help_lists_every_subcommand_without_importing_it(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments, COMMANDS_HERE)

    text = capsys.readouterr().out
    assert end.value.code == 0
    assert 'greet the arm' in text
    assert 'be never imported' in text


def test_unknown_subcommand_lists_the_known_ones(capsys):
    with pytest.raises(SystemExit) as end:
        main(['grete'], COMMANDS_HERE)

    assert end.value.code == 2
    assert "'greet'" in capsys.readouterr().err


@pytest.mark.parametrize('name', sorted(COMMANDS))
def test_every_registered_subcommand_has_help(name, capsys):
    with pytest.raises(SystemExit) as end:
        main([name, '--help'])

    assert end.value.code == 0
    assert COMMANDS[name].summary[1:] in capsys.readouterr().out.replace('\n', ' ')


def test_command_starts_without_ros_torch_or_rich():
    code = (
        'import sys, magma_ros.tools.magma;'
        'print(sorted({"rclpy", "torch", "rich", "mujoco"} & set(sys.modules)))'
    )

    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)

    assert result.stdout == '[]\n'
