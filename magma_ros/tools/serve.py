"""``magma serve``: one model for robots and comparison sessions on this or other machines."""

from __future__ import annotations

import argparse
import logging
import signal
from pathlib import Path

import numpy as np

from magma_ros.errors import ConfigurationError, EnvironmentMissing
from magma_ros.image.image_preparation import prepare_image
from magma_ros.model.action_scaling import ActionStatistics, load_statistics, shipped_keys
from magma_ros.model.backends.onnx_model import load_onnx_model
from magma_ros.model.remote.access_token import NEW_TOKEN, VARIABLE, read_token
from magma_ros.resources import asset_path

EPILOG = f"""\
examples:
  magma serve                                   magma-nano, for this machine only
  magma serve --host 0.0.0.0 --token-file FILE  for other machines; see below
  magma serve --model DIR --statistics bridge_orig

who can ask (docs/serving.md has the wire formats):
  ws://HOST:PORT         openpi's client; and "model: ws://HOST:PORT" of our perception
  http://HOST:PORT/act   OpenVLA's client code; and "model: http://HOST:PORT/act"
  http://HOST:PORT/healthz, /metadata

token: whoever can ask needs it once --host is not this machine. Make one:
  {NEW_TOKEN}
or put it into {VARIABLE}. It travels in clear: on a network you do not trust keep the
default --host and use a tunnel instead: ssh -L 8000:127.0.0.1:8000 THIS_MACHINE
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``magma serve``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument(
        '--model', type=Path, metavar='DIR', help='exported model; default: magma-nano'
    )
    parser.add_argument(
        '--statistics',
        metavar='KEY',
        help='action statistics that turn tokens into metres; needed when the model does not say '
        f'them itself; shipped: {", ".join(shipped_keys())}; others: dataset_statistics.json in '
        'the folder of the model',
    )
    parser.add_argument('--host', default='127.0.0.1', help='default: %(default)s, this machine')
    parser.add_argument('--port', type=int, default=8000, help='default: %(default)s; 0: any')
    parser.add_argument('--token-file', type=Path, metavar='FILE', help='mode 600, one line')
    parser.add_argument('--threads', type=int, default=1, help='of the model; default: 1')
    parser.add_argument(
        '--infer-timeout',
        type=float,
        default=30.0,
        metavar='S',
        help='an answer that takes longer is refused; default: %(default)s',
    )


def run(options: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; 0 then."""
    try:
        from magma_ros.serving.served_model import ServedModel
        from magma_ros.serving.server import ModelServer, ServerSettings, require_token
    except ModuleNotFoundError as error:
        raise EnvironmentMissing(
            f'{error.name} is not installed: pip install -e ".[serve]"'
        ) from error
    settings = ServerSettings(
        options.host, options.port, read_token(options.token_file), options.infer_timeout
    )
    require_token(settings)  # before the model takes its time
    logging.basicConfig(level=logging.WARNING, format='%(asctime)s %(name)s: %(message)s')
    folder = options.model or asset_path('nano')
    model = load_onnx_model(folder, prepare_image, threads=options.threads)
    preprocessor = model.config.preprocessor
    served = ServedModel(
        model,
        choose_statistics(folder, options.statistics, model.config.statistics_key),
        preprocessor.robot_size_px or preprocessor.base_img_size,
        takes_state=model.config.state is not None,
    )
    # The first question takes longest, and a broken model should be noticed before a robot asks.
    model.generate_action(np.full((256, 256, 3), 128, np.uint8), 'warm up', None)
    server = ModelServer(served, settings)
    host, port = server.address
    token = 'a token is needed' if settings.token else 'no token is needed'
    print(f'{model.identity.name} {model.identity.sha256[:12]}, {served.statistics.key}; {token}')
    print(
        f'ws://{host}:{port}  http://{host}:{port}/act  http://{host}:{port}/healthz', flush=True
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C
    try:
        server.run()
    except KeyboardInterrupt:
        print('stopped')
    return 0


def choose_statistics(folder: Path, wanted: str | None, own: str | None) -> ActionStatistics:
    """The statistics asked for, else the model's own.

    Raises:
        ConfigurationError: neither is there, or the model was trained with others.
    """
    if own is not None and wanted is not None and own != wanted:
        raise ConfigurationError(
            f'the model in {folder} was trained with the action statistics {own!r}, not '
            f'{wanted!r}: leave --statistics out'
        )
    key = wanted or own
    beside = folder / 'dataset_statistics.json'
    return load_statistics(key, beside if beside.is_file() and key not in shipped_keys() else None)
