"""``magma export``: a checkpoint as ONNX, to run it without torch."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from magma_ros.errors import EnvironmentMissing

EPILOG = """\
The files are the same for the CPU, CUDA and TensorRT providers of onnxruntime (tested: CPU).
int8-blocks keeps the linear layers of the decoder's blocks in 8 bits: for CPUs, where memory
limits the speed. magma-8b takes 35.6 GB of disk in fp32, 17.8 GB in fp16 and 16.4 GB in
int8-blocks (computed), and 20 GB of memory while it is written.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``magma export``."""
    parser.add_argument('checkpoint', type=Path, metavar='CHECKPOINT', help='its folder')
    parser.add_argument('directory', type=Path, metavar='DIR', help='empty or new folder')
    parser.add_argument('--precision', choices=('fp32', 'fp16', 'int8-blocks'), default='fp32')
    parser.add_argument(
        '--logits',
        choices=('action', 'all'),
        default='all',
        help='action: smaller, but without traces and answers',
    )
    parser.epilog = EPILOG


def run(options: argparse.Namespace) -> int:
    """Write the files and say what to do with them.

    Raises:
        ModelError: the checkpoint is not complete, undamaged and in floating point.
        ConfigurationError: the folder is not empty, or the disk has too little room.
        EnvironmentMissing: torch or onnx is not installed.
    """
    try:
        from magma_ros.model.weights.export_onnx import ExportSettings, export_checkpoint
    except ModuleNotFoundError as error:
        raise EnvironmentMissing(
            f'{error.name} is not installed: pip install -e ".[torch]"'
        ) from error
    export_checkpoint(
        options.checkpoint,
        options.directory,
        ExportSettings(options.precision, options.logits),
        report=lambda step: print(step, file=sys.stderr),
    )
    folder = options.directory
    print(f'exported to {folder}; try: magma try IMAGE "INSTRUCTION" --model {folder}')
    return 0
