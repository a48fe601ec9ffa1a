"""The process a model lives in: loads it, warms it up, then answers one request after another.

Needs neither ROS nor the interpreter of the node. An error that is advice (MagmaError) goes back
as an answer; any other one ends the process, and the node starts another.
"""

from __future__ import annotations

import signal
import sys
import time
from typing import Any

import magma_ros
from magma_ros.errors import MagmaError
from magma_ros.image.image_preparation import prepare_image
from magma_ros.model.action_model import ActionModel, TraceAnswer
from magma_ros.model.backends.guided_model import GuidedModel
from magma_ros.model.prompted_model import PromptedModel, require_words
from magma_ros.model.remote.server_address import is_chat_address
from magma_ros.nodes.model_worker_answers import (
    Answer,
    LoadedModel,
    answer_fields,
    loaded_fields,
    read_marks,
    read_state,
)
from magma_ros.nodes.model_worker_channel import Channel, SharedPicture
from magma_ros.nodes.model_worker_loading import (
    ModelSettings,
    TimedPreparation,
    load_model,
    warm_up,
)

MODULE = 'magma_ros.nodes.model_worker_program'


def serve(channel: Channel, picture: SharedPicture) -> None:
    """Load what the first message names, and answer until the node has gone."""
    channel.send({'event': 'started', 'version': magma_ros.__version__})
    first = channel.receive()
    if first is None:
        return
    preparation = TimedPreparation(prepare_image, time.perf_counter)
    try:
        channel.send({'event': 'loading'})
        settings = ModelSettings.of_message(first)
        acting = load_model(settings, preparation)
        channel.send({'event': 'warming'})
        if not is_chat_address(settings.model):  # it gives no actions
            warm_up(acting.model)
    except MagmaError as error:
        channel.send({'event': 'refused', 'text': str(error)})
        return
    loaded = LoadedModel(acting.model.identity, acting.statistics)
    channel.send({'event': 'ready', **loaded_fields(loaded)})
    while (request := channel.receive()) is not None:
        channel.send(_reply(acting.model, picture, preparation, request))
    acting.close()


def _reply(
    model: ActionModel,
    picture: SharedPicture,
    preparation: TimedPreparation,
    request: dict[str, Any],
) -> dict[str, Any]:
    started_s, preparation.spent_s = time.perf_counter(), 0.0
    answer: dict[str, Any]
    try:
        answer = {'answer': answer_fields(_ask(model, picture, request))}
    except MagmaError as error:
        answer = {'error': type(error).__name__, 'text': str(error)}
    spent_s = time.perf_counter() - started_s
    prepare_s = preparation.spent_s
    return {'event': 'reply', **answer, 'prepare_s': prepare_s, 'infer_s': spent_s - prepare_s}


def _ask(model: ActionModel, picture: SharedPicture, request: dict[str, Any]) -> Answer:
    kind, text = request['kind'], request['text']
    rgb = picture.read(*request['size'])
    if request['reset']:
        model.reset()
    if kind != 'action' and isinstance(model, GuidedModel):
        model = model.guide
    if kind == 'answer':
        require_words(model)
        return model.answer(rgb, text)
    state = read_state(request['state'])
    if kind == 'action':
        return model.generate_action(rgb, text, state)
    marks, limit_s = read_marks(request['marks']), request['limit_s']
    if limit_s is None or not isinstance(model, PromptedModel):
        return model.generate_trace(rgb, text, state, marks)
    end_s = time.perf_counter() + limit_s
    trace = TraceAnswer([], '')
    for grown in model.stream_trace(rgb, text, state, marks):
        trace = grown
        if time.perf_counter() > end_s:
            break
    return trace


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of whatever library means that memory has run out."""
    words = str(error).lower()
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == 'OutOfMemoryError'  # torch's, which is not imported here
        or 'bad allocation' in words  # ONNX Runtime's
        or 'failed to allocate memory' in words
    )


def main() -> int:
    """Serve the node that has handed over a socket and a picture."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the node ends us, in its order
    channel = Channel.of_descriptor(int(sys.argv[1]))
    picture = SharedPicture(int(sys.argv[2]))
    try:
        serve(channel, picture)
    except (BrokenPipeError, ConnectionResetError):  # the node has gone
        return 0
    except Exception as error:  # whatever a backend raises: said, shown, and this process ends
        kind = 'out of memory' if is_out_of_memory(error) else 'crash'
        text = f'{type(error).__name__}: {error}'[:1000]
        channel.send({'event': 'died', 'why': kind, 'text': text})
        raise
    return 0


if __name__ == '__main__':
    sys.exit(main())
