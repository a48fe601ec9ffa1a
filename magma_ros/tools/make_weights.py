"""``magma make-weights``: a complete checkpoint of random weights, to try memory and speed."""

from __future__ import annotations

import argparse
from pathlib import Path

from magma_ros.errors import ConfigurationError, EnvironmentMissing
from magma_ros.model.network.magma_config import MAGMA_8B, MAGMA_NANO, MAGMA_TINY

SIZES = {'nano': MAGMA_NANO, 'tiny': MAGMA_TINY, '8b': MAGMA_8B}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``magma make-weights``."""
    parser.add_argument('directory', type=Path, metavar='DIR', help='empty or new folder')
    parser.add_argument(
        '--size', choices=SIZES, default='tiny', help='8b takes 17.8 GB on disk in bf16'
    )
    parser.add_argument(
        '--random', action='store_true', required=True, help='say that you know: they are noise'
    )
    parser.add_argument('--seed', type=int, default=0, help='of the weights')
    parser.add_argument('--dtype', choices=('bf16', 'fp16', 'fp32'), default='bf16')
    parser.add_argument('--shard-gb', type=float, default=5.0, help='largest file')
    parser.epilog = 'Trained weights come with the package (nano) or from their makers (8b).'


def run(options: argparse.Namespace) -> int:
    """Write the checkpoint and say what to do with it.

    Raises:
        ConfigurationError: the folder is not empty, the disk has too little room, or the size of
            a file makes no sense.
        EnvironmentMissing: torch is not installed.
    """
    if not options.shard_gb > 0:
        raise ConfigurationError(f'--shard-gb {options.shard_gb}: more than 0 is needed')
    try:
        from magma_ros.model.weights.random_checkpoint import write_random_checkpoint
    except ModuleNotFoundError as error:
        raise EnvironmentMissing(
            f'{error.name} is not installed: pip install -e ".[torch]"'
        ) from error
    write_random_checkpoint(
        SIZES[options.size],
        options.directory,
        options.seed,
        options.dtype,
        round(options.shard_gb * 1e9),
    )
    print(f'random weights in {options.directory}; look: magma check-weights {options.directory}')
    return 0
