"""What a session compares: policies, servers, people, and simulated people."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from magma_ros.errors import ConfigurationError
from magma_ros.evaluation.sessions.table_fields import number, one_of, read_table
from magma_ros.model.backends.acting_model import ModelChoice
from magma_ros.model.backends.local_model import PRECISIONS, LocalSettings, PrecisionName
from magma_ros.model.remote.server_address import is_address, parse_address
from magma_ros.pipeline import MODES, Mode
from magma_ros.resources import share_directory

Through = Literal['core', 'nodes', 'hardware']
THROUGH: tuple[Through, ...] = ('core', 'nodes', 'hardware')


@dataclass(frozen=True)
class Policy:
    """A model on this machine, with everything that decides its answers."""

    model: str = ''  # folder, or owner/name@commit on the hub; empty: magma-nano
    mode: Mode = one_of(MODES, 'path')
    statistics: str = ''  # key; empty: the model's own
    precision: PrecisionName = one_of(tuple(PRECISIONS), 'as stored')
    device: str = 'auto'
    threads: int = number(1, 64, 1)

    @property
    def choice(self) -> ModelChoice:
        """What is loaded."""
        settings = LocalSettings(self.threads, self.precision, self.device)
        return ModelChoice(self.model, self.statistics or None, settings)


@dataclass(frozen=True)
class Baseline:
    """A policy on another machine, behind one of the two protocols of docs/serving.md."""

    address: str  # ws://host:port?..., http://host:port/act?...
    mode: Mode = one_of(MODES, 'direct')

    @property
    def choice(self) -> ModelChoice:
        """What is asked."""
        return ModelChoice(self.address)


@dataclass(frozen=True)
class Teleop:
    """A person who drives; knows it, whatever the others are told."""

    operator: str
    device: str  # a file of config/teleop


@dataclass(frozen=True)
class SimulatedOperator:
    """The scripted expert as a person would be: late, unsteady, not always attentive."""

    delay_s: float = number(0.0, 2.0, 0.25)  # from what is seen to what the hand does
    noise_m: float = number(0.0, 0.05, 0.002)  # standard deviation of each gesture, each axis
    skill: float = number(0.0, 1.0, 0.95)  # share of the moments that are used at all


Condition = Policy | Baseline | Teleop | SimulatedOperator
KINDS: dict[str, type[Condition]] = {
    'policy': Policy,
    'baseline': Baseline,
    'teleop': Teleop,
    'simulated_operator': SimulatedOperator,
}
# A person cannot drive faster than real time, and a simulated one sees no real table.
KINDS_THROUGH: dict[Through, tuple[str, ...]] = {
    'core': ('policy', 'baseline', 'simulated_operator'),
    'nodes': ('policy', 'baseline', 'simulated_operator'),
    'hardware': ('policy', 'baseline', 'teleop'),
}


def read_condition(values: Any, through: Through, folder: Path, where: str) -> Condition:
    """A condition from its table.

    Args:
        values: with ``kind`` and the fields of that kind.
        through: what the session runs through.
        folder: that relative paths of models are below of.
        where: for messages.

    Raises:
        ConfigurationError: an unknown kind, key or value, or a kind that cannot run there.
    """
    kind = values.get('kind') if isinstance(values, dict) else None
    if kind not in KINDS_THROUGH[through]:
        raise ConfigurationError(
            f'{where}: kind is {kind!r}; through {through} it must be one of '
            f'{", ".join(KINDS_THROUGH[through])}'
        )
    rest = {name: value for name, value in values.items() if name != 'kind'}
    condition = read_table(KINDS[kind], rest, where)
    if isinstance(condition, Policy):
        return _check_policy(condition, folder, where)
    if isinstance(condition, Baseline):
        parse_address(condition.address)
    if isinstance(condition, Teleop):
        devices = sorted(path.stem for path in (share_directory() / 'config/teleop').glob('*'))
        if condition.device not in devices or not condition.operator:
            raise ConfigurationError(
                f'{where}: {condition.operator!r} drives with {condition.device!r}; name the '
                f'operator, and one of the devices {", ".join(devices)}'
            )
    return condition


def as_table(condition: Condition) -> dict[str, Any]:
    """The whole table of a condition, defaults written out."""
    kind = next(name for name, one in KINDS.items() if isinstance(condition, one))
    return {'kind': kind, **asdict(condition)}


def tell_tale_words(name: str, condition: Condition) -> set[str]:
    """What would name the condition to a reader: its name, its model, its operator."""
    words = {name}
    if isinstance(condition, Policy) and condition.model:
        words |= {condition.model, Path(condition.model).name}
    if isinstance(condition, Baseline):
        words.add(condition.address)
    if isinstance(condition, Teleop):
        words.add(condition.operator)
    return words


def _check_policy(policy: Policy, folder: Path, where: str) -> Policy:
    if is_address(policy.model):
        raise ConfigurationError(
            f'{where}: {policy.model} is a server: write kind: baseline and address: ...'
        )
    local = folder / policy.model
    if policy.model and '@' not in policy.model:
        if not local.is_dir():
            raise ConfigurationError(
                f'{where}: there is no folder {local} with a model; give one (relative to the '
                'session file), owner/name@commit, or leave model out for magma-nano'
            )
        return Policy(**{**asdict(policy), 'model': str(local.resolve())})
    return policy
