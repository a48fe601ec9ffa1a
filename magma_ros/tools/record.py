"""``magma record``: keys of a terminal for the recorder, elsewhere or started here."""

from __future__ import annotations

import argparse
import contextlib
import select
import sys
import termios
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from rich.console import Console

from magma_ros.dataset.picture_conversion import PictureKind
from magma_ros.errors import EnvironmentMissing
from magma_ros.nodes.node_processes import NodeProcesses
from magma_ros.nodes.node_program import RECORDER_PROGRAM
from magma_ros.ros.recorder_client import RecorderClient

KEYS = {
    's': 'success',
    'f': 'failure',
    'd': 'discard',
    'k': 'keep',
}
EPILOG = """\
keys:
  space  start, or stop and keep     n  a note: type it, then Enter
  s      success (ends the episode)  d  discard (nothing is deleted)
  f      failure (ends the episode)  k  keep after all
  q      leave; a recording goes on unless --node was given
"""
POLL_S = 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``magma record``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument('--node', action='store_true', help='start the recorder here, too')
    parser.add_argument(
        '--directory', type=Path, default=Path('runs/episodes'), help='of its episodes'
    )
    parser.add_argument('--arm', default='wx250s', help='a file of config/arms, with --node')
    parser.add_argument(
        '--pictures',
        default='as_is',
        choices=get_args(PictureKind),
        help='how raw pictures are stored, with --node',
    )


def run(options: argparse.Namespace) -> int:
    """Answer keys until q; 0."""
    console = Console(highlight=False, soft_wrap=True)
    if not sys.stdin.isatty():
        raise EnvironmentMissing(
            'magma record reads keys of a terminal; from a program call the services '
            '/magma/recorder/start and so on'
        )
    with contextlib.ExitStack() as stack:
        if options.node:
            given = {
                'directory': str(options.directory.absolute()),
                'arm': options.arm,
                'pictures': options.pictures,
            }
            stack.enter_context(NodeProcesses([RECORDER_PROGRAM], {'recorder_node': given}))
        client = stack.enter_context(RecorderClient())
        console.print(EPILOG)
        stack.enter_context(_single_keys())
        answer_keys(client, console)
    return 0


def answer_keys(client: RecorderClient, console: Console) -> None:
    """Until q."""
    shown = ''
    while True:
        client.spin(POLL_S)
        line = describe_state(client.text, client.state)
        if line != shown:
            shown = line
            console.print(line, markup=False)
        key = read_key()
        if key == 'q':
            return
        if key == 'n':
            client.note(_read_line('note: '))
        request = request_of(key, client.state.get('state', ''))
        if request:
            done, text = client.ask(request)
            console.print(f'{request}: {text}' if done else f'NOT DONE, {text}', markup=False)


def request_of(key: str, state: str) -> str:
    """The service behind a key; '' for none."""
    if key == ' ':
        return 'stop' if state == 'recording' else 'start'
    return KEYS.get(key, '')


def describe_state(text: str, state: dict[str, str]) -> str:
    """One line that changes when something worth seeing does."""
    if not state:
        return 'no recorder is heard'
    episode = f' {state["episode"]}' if 'episode' in state else ''
    warning = '' if text in ('ready', 'recording') else f'; {text}'
    return f'{state.get("state", "")}{episode}{warning}'


def read_key() -> str:
    """The key that was pressed, '' for none."""
    return sys.stdin.read(1) if select.select([sys.stdin], [], [], 0.0)[0] else ''


def _read_line(prompt: str) -> str:
    with _whole_lines():
        return input(prompt)


@contextlib.contextmanager
def _single_keys() -> Iterator[None]:
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _whole_lines() -> Iterator[None]:
    before = termios.tcgetattr(sys.stdin)
    lines = termios.tcgetattr(sys.stdin)
    lines[3] |= termios.ICANON | termios.ECHO
    termios.tcsetattr(sys.stdin, termios.TCSADRAIN, lines)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
