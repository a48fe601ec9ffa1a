"""Which model a worker loads, and its first inference; known on both sides of the channel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from magma_ros.errors import ConfigurationError
from magma_ros.model.action_model import ActionModel
from magma_ros.model.action_scaling import load_statistics
from magma_ros.model.backends.acting_model import ActingModel, ModelChoice, load_acting_model
from magma_ros.model.backends.guided_model import GuidedModel
from magma_ros.model.backends.local_model import LocalSettings, PrecisionName
from magma_ros.model.backends.scripted_model import ScriptedModel
from magma_ros.model.prompted_model import PrepareImage
from magma_ros.model.text.hamster_text import parse_hamster_answer

SCRIPTED = 'scripted'
SCRIPTED_STATISTICS = 'magma_nano_sim'
PICTURE_PX = (640, 480)  # that a scripted path is drawn in, and of the first inference
WARM_UP = 'pick up the cube'


@dataclass(frozen=True)
class ModelSettings:
    """The parameters of perception that say which model acts and how it is run."""

    model: str = ''  # folder, owner/name@commit or address; empty: magma-nano; or "scripted"
    statistics: str = ''
    precision: PrecisionName = 'as stored'
    device: str = 'auto'
    threads: int = 1
    scripted_actions: tuple[float, ...] = (0.0,) * 7
    scripted_path: str = ''
    scripted_words: str = ''
    path_model: str = ''  # folder or address of another one that draws the paths

    def as_message(self) -> dict[str, Any]:
        """For the worker."""
        return asdict(self)

    @staticmethod
    def of_message(message: dict[str, Any]) -> ModelSettings:
        """What :meth:`as_message` gave."""
        return ModelSettings(**{**message, 'scripted_actions': tuple(message['scripted_actions'])})


def load_model(settings: ModelSettings, prepare_image: PrepareImage) -> ActingModel:
    """The model that is asked for.

    Raises:
        ConfigurationError: a name or value is wrong.
        ModelError: the model is missing or damaged, or its server does not answer.
        EnvironmentMissing: a library that is needed is not installed.
    """
    acting = _load_actor(settings, prepare_image)
    if not settings.path_model:
        return acting
    guide = load_acting_model(ModelChoice(settings.path_model), prepare_image).model
    return ActingModel(GuidedModel(acting.model, guide), acting.statistics)


def _load_actor(settings: ModelSettings, prepare_image: PrepareImage) -> ActingModel:
    if settings.model != SCRIPTED:
        local = LocalSettings(settings.threads, settings.precision, settings.device)
        choice = ModelChoice(settings.model, settings.statistics or None, local)
        return load_acting_model(choice, prepare_image)
    if len(settings.scripted_actions) % 7 or not settings.scripted_actions:
        raise ConfigurationError('scripted_actions needs seven numbers for each action')
    path = settings.scripted_path
    traces = [parse_hamster_answer(path, *PICTURE_PX)] if path else []
    actions = np.array(settings.scripted_actions)
    model = ScriptedModel(actions, traces, settings.scripted_words)
    return ActingModel(model, load_statistics(SCRIPTED_STATISTICS))


def warm_up(model: ActionModel) -> None:
    """One inference on noise, so that the first real one is as fast as those after it.

    Raises:
        ModelError: the answer is of no use.
    """
    width, height = PICTURE_PX
    noise = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    model.generate_action(noise, WARM_UP, None)
    model.reset()


class TimedPreparation:
    """Prepares pictures as :func:`image_preparation.prepare_image` does, and knows how long."""

    def __init__(self, prepare_image: PrepareImage, now_s: Callable[[], float]) -> None:
        self._prepare_image, self._now_s = prepare_image, now_s
        self.spent_s = 0.0  # since whoever reads it set it to 0

    def __call__(self, rgb: NDArray[np.uint8], *arguments: Any) -> NDArray[np.float32]:
        """The prepared picture."""
        started_s = self._now_s()
        prepared = self._prepare_image(rgb, *arguments)
        self.spent_s += self._now_s() - started_s
        return prepared
