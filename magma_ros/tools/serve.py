"""``magma serve``: one model for robots and comparison sessions on this or other machines."""

from __future__ import annotations

import argparse
import logging
import signal
from pathlib import Path

import numpy as np

from magma_ros.errors import EnvironmentMissing
from magma_ros.image.image_preparation import prepare_image
from magma_ros.model.action_scaling import shipped_keys
from magma_ros.model.backends.local_model import load_local_model, settle_statistics
from magma_ros.model.remote.access_token import NEW_TOKEN, VARIABLE, read_token
from magma_ros.resources import asset_path
from magma_ros.tools.model_options import add_model_options, local_settings

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
    add_model_options(parser)
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
    wanted = options.model or asset_path('nano')
    model, folder = load_local_model(wanted, prepare_image, local_settings(options))
    preprocessor = model.config.preprocessor
    served = ServedModel(
        model,
        settle_statistics(model, folder, options.statistics),
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
