"""A worker that misbehaves as its model's name says; cheap to start."""

import os
import signal
import sys
import time

import magma_ros
from magma_ros.nodes.model_worker_channel import Channel

READY = {'event': 'ready', 'name': 'fake', 'sha256': '0', 'statistics': None}


def reply(text):
    return {'event': 'reply', 'answer': {'text': text}, 'prepare_s': 0.0, 'infer_s': 0.0}


def main():
    if os.environ.get('FAKE_WORKER') == 'silent':
        return 3
    channel = Channel.of_descriptor(int(sys.argv[1]))
    version = 'another' if os.environ.get('FAKE_WORKER') == 'old' else magma_ros.__version__
    channel.send({'event': 'started', 'version': version})
    settings = channel.receive()
    if settings is None:
        return 0
    if os.environ.get('FAKE_WORKER') == 'refusing':
        channel.send({'event': 'refused', 'text': 'no such model'})
        return 0
    channel.send({'event': 'loading'})
    if os.environ.get('FAKE_WORKER') == 'slow':
        time.sleep(0.3)
    channel.send(READY)
    while (request := channel.receive()) is not None:
        text = request['text']
        if text == 'crash':
            return 7
        if text == 'abort':
            os.kill(os.getpid(), signal.SIGABRT)
        if text == 'memory':
            channel.send({'event': 'died', 'why': 'out of memory', 'text': 'MemoryError'})
            return 1
        if text == 'hang':
            time.sleep(60)
        if text == 'nonsense':
            channel.send({'event': 'reply', 'answer': {}, 'prepare_s': 0.0, 'infer_s': 0.0})
            continue
        if text == 'refuse':
            channel.send({'event': 'reply', 'error': 'CameraError', 'text': 'CAMERA_FORMAT: no'})
            continue
        channel.send(reply(f'{text} {request["reset"]} {os.getpid()}'))
    return 0


if __name__ == '__main__':
    sys.exit(main())
