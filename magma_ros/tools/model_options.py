"""Options that every subcommand with a ``--model`` shares."""

from __future__ import annotations

import argparse

from magma_ros.model.backends.local_model import NUMBERS, LocalSettings


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """``--model``, ``--numbers``, ``--device`` and ``--threads``."""
    parser.add_argument(
        '--model',
        metavar='DIR',
        help='an exported model, a checkpoint (needs torch), or a pinned revision on the hub: '
        'owner/name@<commit>; default: magma-nano',
    )
    parser.add_argument(
        '--numbers',
        choices=tuple(NUMBERS),
        default='as stored',
        help='how the weights of a checkpoint are kept in memory; default: %(default)s',
    )
    parser.add_argument(
        '--device', default='auto', help='of a checkpoint: auto, cpu, cuda, cuda:1; default: auto'
    )
    parser.add_argument('--threads', type=int, default=1, help='of an exported model; default: 1')


def local_settings(options: argparse.Namespace) -> LocalSettings:
    """What the options say."""
    return LocalSettings(options.threads, options.numbers, options.device)
