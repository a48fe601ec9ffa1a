"""Characters from a terminal as they are typed, without echo and without waiting."""

from __future__ import annotations

import os
import select
import termios
import tty
from pathlib import Path

from magma_ros.errors import EnvironmentMissing


class TerminalKeys:
    """The terminal of this process, whatever its standard input is.

    Args:
        terminal: its device file.

    Raises:
        EnvironmentMissing: there is no terminal.
    """

    def __init__(self, terminal: Path = Path('/dev/tty')) -> None:
        try:
            self._descriptor = os.open(terminal, os.O_RDONLY | os.O_NOCTTY)
            self._before = termios.tcgetattr(self._descriptor)
        except (OSError, termios.error) as error:
            raise EnvironmentMissing(
                f'{terminal} is no terminal ({error}); start teleop_node in one (ros2 run, not '
                'ros2 launch), or choose another device'
            ) from error
        tty.setcbreak(self._descriptor)  # Ctrl-C still ends the program

    def poll(self) -> str | None:
        """Characters since the last time; None when the terminal is gone."""
        typed = b''
        try:
            while select.select([self._descriptor], [], [], 0.0)[0]:
                new = os.read(self._descriptor, 256)
                if not new:
                    return None
                typed += new
        except OSError:  # hung up
            return None
        return typed.decode(errors='replace')

    def close(self) -> None:
        """Give the terminal back as it was; nothing to give back when it is gone."""
        try:
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._before)
        except termios.error:
            return
        finally:
            os.close(self._descriptor)
