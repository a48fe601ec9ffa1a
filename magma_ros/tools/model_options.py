"""Options that every subcommand with a ``--model`` shares."""

from __future__ import annotations

import argparse

from magma_ros.model.backends.local_model import PRECISIONS, LocalSettings

FOLDER = (
    'an exported model, a checkpoint (needs torch), or a pinned revision on the hub: '
    'owner/name@<commit>'
)
ADDRESS = (
    'a server: ws://host:port, http://host:port/act or, for paths, openai+http://host:port/model, '
    'with options (docs/serving.md)'
)


def add_model_options(parser: argparse.ArgumentParser, may_be_remote: bool = False) -> None:
    """``--model``, ``--precision``, ``--device`` and ``--threads``."""
    places = f'{FOLDER}; or {ADDRESS}' if may_be_remote else FOLDER
    parser.add_argument(
        '--model',
        metavar='MODEL' if may_be_remote else 'DIR',
        help=f'{places}; default: magma-nano',
    )
    parser.add_argument(
        '--precision',
        choices=tuple(PRECISIONS),
        default='as stored',
        help='of the weights of a checkpoint in memory; int8 is the faster of int8-weights and '
        'int8-dynamic on this machine (docs/model.md); default: %(default)s',
    )
    parser.add_argument(
        '--device', default='auto', help='of a checkpoint: auto, cpu, cuda, cuda:1; default: auto'
    )
    parser.add_argument('--threads', type=int, default=1, help='of an exported model; default: 1')


def local_settings(options: argparse.Namespace) -> LocalSettings:
    """What the options say."""
    return LocalSettings(options.threads, options.precision, options.device)
