"""Questions to the person at the terminal, a line at a time."""

from __future__ import annotations

import select
import sys
from collections.abc import Mapping
from typing import Protocol

from rich.console import Console

from magma_ros.errors import EnvironmentMissing


class Terminal(Protocol):
    """Whoever answers: a person, or the script of a test."""

    def say(self, text: str) -> None:
        """Tell something."""

    def read(self, question: str) -> str:
        """The next line, without its end."""

    def poll(self) -> str | None:
        """A line that was typed meanwhile, None for none."""


class LineTerminal:
    """Standard input, and the console."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """On a line of its own."""
        self._console.print(text, markup=False)

    def read(self, question: str) -> str:
        """Wait for a line.

        Raises:
            EnvironmentMissing: there is nobody to ask any more.
        """
        self._console.print(f'{question} ', markup=False, end='')
        line = sys.stdin.readline()
        if not line:
            raise EnvironmentMissing(
                'the terminal was closed; the trial is repeated with magma session resume'
            )
        return line.strip()

    def poll(self) -> str | None:
        """Do not wait."""
        if not select.select([sys.stdin], [], [], 0.0)[0]:
            return None
        return sys.stdin.readline().strip()


def ask(terminal: Terminal, question: str, answers: Mapping[str, str]) -> str:
    """One of the answers, asked for until it is one; '' is Enter alone."""
    choices = ', '.join(f'{key or "Enter"}: {meaning}' for key, meaning in answers.items())
    while (answer := terminal.read(f'{question} ({choices})')) not in answers:
        terminal.say(f'{answer!r} is none of these')
    return answer
