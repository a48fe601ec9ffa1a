"""The ``magma`` command: finds the subcommand's module and hands over to it.

A subcommand is a line in ``COMMANDS`` and a module with ``add_arguments(parser)`` and
``run(arguments) -> int`` (the exit code). Its module is imported only when it is asked for.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from magma_ros import __version__
from magma_ros.errors import MagmaError


@dataclass(frozen=True)
class Command:
    """Where a subcommand is, and what it does in one line."""

    module: str
    summary: str


COMMANDS = {
    'demo': Command('magma_ros.tools.demo', 'watch a simulated arm act on sentences'),
    'doctor': Command('magma_ros.tools.doctor', 'say what is there and what is missing'),
    'arm-check': Command('magma_ros.tools.arm_check', 'bring up a real arm, one axis at a time'),
    'try': Command('magma_ros.tools.try_model', 'ask a model about one picture'),
    'perceive': Command(
        'magma_ros.tools.perceive', 'let a model watch pictures, and film what it wants'
    ),
    'calibrate': Command('magma_ros.tools.calibrate', 'find out where the camera is'),
    'evaluate': Command('magma_ros.tools.evaluate', 'measure success in simulation'),
    'session': Command(
        'magma_ros.tools.session', 'compare policies, servers and people, blind until the report'
    ),
    'serve': Command('magma_ros.tools.serve', 'answer other machines over the network'),
    'record': Command('magma_ros.tools.record', 'record episodes from the keyboard'),
    'bags': Command('magma_ros.tools.bags', 'look at recorded episodes, mend, cut and play them'),
    'data': Command('magma_ros.tools.convert', 'check recordings, and make datasets of them'),
    'bench': Command('magma_ros.tools.bench', 'measure speed, and compare it with the goals'),
    'check-weights': Command(
        'magma_ros.tools.check_weights', 'say what a checkpoint folder holds, without loading it'
    ),
    'make-weights': Command(
        'magma_ros.tools.make_weights', 'write a checkpoint of random weights, to try a size'
    ),
    'export': Command('magma_ros.tools.export_model', 'write a checkpoint as ONNX'),
    'finetune': Command('magma_ros.tools.finetune', 'let a checkpoint learn from conversations'),
    'loop': Command(
        'magma_ros.tools.loop', 'record, convert, finetune and evaluate, in simulation'
    ),
    'train-nano': Command('magma_ros.tools.train_nano', 'make magma-nano from nothing'),
}

DESCRIPTION = """\
Magma on a real arm: from a camera picture and a sentence to smooth, limited motion.

Start with "magma doctor"; each subcommand explains itself: magma <subcommand> --help.
"""
EXIT_CODES = 'exit codes: 0 done, 1 done but not well, 2 something to put right, 130 interrupted'


def main(
    arguments: Sequence[str] | None = None, commands: Mapping[str, Command] = COMMANDS
) -> int:
    """Run a subcommand; errors that name a next step are printed without a traceback."""
    arguments = sys.argv[1:] if arguments is None else arguments
    chosen = next((word for word in arguments if word in commands), None)
    options = _parser(commands, chosen).parse_args(arguments or ['--help'])
    try:
        return importlib.import_module(commands[options.command].module).run(options)
    except MagmaError as error:
        print(f'magma {options.command}: {error}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser(commands: Mapping[str, Command], chosen: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='magma',
        description=DESCRIPTION,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--version', action='version', version=f'magma_ros {__version__}')
    subparsers = parser.add_subparsers(dest='command', metavar='<subcommand>', required=True)
    for name, command in commands.items():
        subparser = subparsers.add_parser(
            name,
            help=command.summary,
            description=f'{command.summary[0].upper()}{command.summary[1:]}.',
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        if name == chosen:
            importlib.import_module(command.module).add_arguments(subparser)
    return parser


if __name__ == '__main__':
    sys.exit(main())
