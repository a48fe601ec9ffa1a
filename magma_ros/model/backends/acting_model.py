"""Any model that acts: a folder, a name on the hub, or a server, whichever a user wrote."""

from __future__ import annotations

from dataclasses import dataclass, field

from magma_ros.errors import ConfigurationError, EnvironmentMissing
from magma_ros.model.action_model import ActionModel
from magma_ros.model.action_scaling import ActionStatistics
from magma_ros.model.backends.local_model import (
    LocalSettings,
    load_local_model,
    settle_statistics,
)
from magma_ros.model.prompted_model import PrepareImage
from magma_ros.model.remote.server_address import is_address, is_chat_address
from magma_ros.resources import asset_path


@dataclass(frozen=True)
class ModelChoice:
    """Which model acts, and how it is run."""

    model: str = ''  # folder, owner/name@commit, or address; empty: magma-nano
    statistics: str | None = None  # key; none: the model's own
    settings: LocalSettings = field(default_factory=LocalSettings)

    @property
    def is_remote(self) -> bool:
        """Whether a server is asked."""
        return is_address(self.model)


@dataclass(frozen=True)
class ActingModel:
    """A model and what turns its tokens into motion."""

    model: ActionModel
    statistics: ActionStatistics | None  # none: the model answers in metres and radians

    def close(self) -> None:
        """Leave the server, if there is one."""
        leave = getattr(self.model, 'close', None)
        if leave is not None:
            leave()


def load_acting_model(choice: ModelChoice, prepare_image: PrepareImage) -> ActingModel:
    """The model of a choice, ready to act.

    Raises:
        ConfigurationError: the address, a name or a setting is wrong, or a server is asked for
            what only local models have.
        ModelError: the model is missing or damaged, or its server does not answer.
        EnvironmentMissing: a library that is needed is not installed.
    """
    if choice.is_remote:
        if choice.statistics is not None or choice.settings != LocalSettings():
            raise ConfigurationError(
                f'{choice.model} is a server, which has its own precision, device, threads and '
                'statistics: leave these out; of several statistics one is named in the address '
                '(?unnorm_key=)'
            )
        return ActingModel(_connect(choice.model), None)
    wanted = choice.model or asset_path('nano')
    local, folder = load_local_model(wanted, prepare_image, choice.settings)
    return ActingModel(local, settle_statistics(local, folder, choice.statistics))


def _connect(address: str) -> ActionModel:
    try:
        if is_chat_address(address):
            from magma_ros.model.backends.chat_path_model import ChatPathModel

            return ChatPathModel(address)
        from magma_ros.model.backends.remote_model import connect

        return connect(address)  # which imports the libraries of the protocol
    except ModuleNotFoundError as error:
        raise EnvironmentMissing(
            f'{error.name} is not installed: pip install -e ".[serve]"'
        ) from error
