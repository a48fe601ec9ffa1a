"""What a finetuning run is told: a YAML file of ``config/finetune`` whose keys are all known."""

from __future__ import annotations

import dataclasses
import math
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from magma_ros.errors import ConfigurationError
from magma_ros.yaml_tables import check_keys, load_yaml

Method = Literal['full', 'lora', 'qlora']
Kind = Literal['action', 'trace', 'mark', 'verbal']
Optimiser = Literal['adamw', 'muon']
Schedule = Literal['constant', 'cosine']
Augmentation = Literal['published', 'colour', 'none']
MixedPrecision = Literal['no', 'bf16']
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class LoraSettings:
    """Low-rank adapters of the decoder's linear layers. Defaults: Magma's ``train.py``."""

    rank: int = 64
    alpha: float = 16.0
    dropout: float = 0.05


@dataclass(frozen=True)
class Mixture:
    """Share of each kind of sample in a batch; what the data lack is left out."""

    action: float = 1.0
    trace: float = 0.0
    mark: float = 0.0
    verbal: float = 0.0

    def share(self, kind: Kind) -> float:
        """Of one kind; the shares need not sum to one."""
        return float(getattr(self, kind))


@dataclass(frozen=True)
class FinetuneSettings:
    """One run. Defaults are Magma's published finetuning on a real arm, where it has a value."""

    data: str  # folder of conversations
    model: str = ''  # folder or owner/name@commit; empty: magma-nano
    method: Method = 'lora'
    lora: LoraSettings = field(default_factory=LoraSettings)
    train_vision_tower: bool = False
    train_projector: bool = True
    mixture: Mixture = field(default_factory=Mixture)
    augmentation: Augmentation = 'published'
    epochs: float = 20.0  # passes over as many samples as the training set has
    steps: int = 0  # of the optimiser; 0: as many as the epochs make
    batch: int = 32  # samples of a step, over all processes
    micro_batch: int = 4  # samples a process holds at a time
    optimiser: Optimiser = 'adamw'
    learning_rate: float = 1e-5
    muon_learning_rate: float = 0.015  # of hidden matrices, with muon
    weight_decay: float = 0.0
    schedule: Schedule = 'constant'
    warm_up: float = 0.03  # share of the steps
    soft_bins: float = 0.0  # width of the targets of numbers and actions; 0: one right answer
    mixed_precision: MixedPrecision = 'bf16'
    gradient_checkpointing: bool = True
    seed: int = 0
    validation_every: int = 200  # steps
    validation_samples: int = 64  # of each kind
    snapshot_every: int = 200  # steps
    export_onnx: bool = False

    def __post_init__(self) -> None:
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not (math.isfinite(value) and low <= value <= high):
                raise ConfigurationError(f'{name} is {value}; it must be {low:g} to {high:g}')
        if self.batch % self.micro_batch:
            raise ConfigurationError(
                f'batch {self.batch} is no multiple of micro_batch {self.micro_batch}'
            )
        shares = [self.mixture.share(kind) for kind in KINDS]
        if min(shares) < 0 or not 0 < sum(shares) < math.inf:
            raise ConfigurationError(
                f'mixture {shares} needs a positive share and no negative one'
            )

    def total_steps(self, samples: int) -> int:
        """Steps of the optimiser for a training set of this many samples."""
        return self.steps or max(1, math.ceil(self.epochs * samples / self.batch))


_RANGES = (
    ('epochs', 0, 1e4), ('steps', 0, 1e8), ('batch', 1, 65536), ('micro_batch', 1, 4096),
    ('learning_rate', 0, 1), ('muon_learning_rate', 0, 1), ('weight_decay', 0, 1),
    ('warm_up', 0, 1), ('soft_bins', 0, 64), ('validation_every', 1, 1e8),
    ('validation_samples', 1, 1e6), ('snapshot_every', 1, 1e8),
)  # fmt: skip


def read_settings(path: Path, **overrides: Any) -> FinetuneSettings:
    """Settings of a file; keyword arguments that are not None replace its values.

    Raises:
        ConfigurationError: the file is missing, not YAML, or has a key or value that is not one.
    """
    if not path.is_file():
        raise ConfigurationError(f'{path} does not exist; config/finetune has examples')
    values = load_yaml(path)
    if isinstance(values, dict):
        values |= {name: value for name, value in overrides.items() if value is not None}
    return _read_table(FinetuneSettings, values, str(path))


def _read_table(kind: Any, values: Any, where: str) -> Any:
    about = {one.name: one for one in dataclasses.fields(kind)}
    required = [
        name
        for name, one in about.items()
        if one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
    ]
    check_keys(values, about, where, required)
    hints = typing.get_type_hints(kind)
    return kind(
        **{
            name: _read_value(hints[name], value, f'{where}: {name}')
            for name, value in values.items()
        }
    )


def _read_value(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return _read_table(hint, value, where)
    if choices := typing.get_args(hint):
        if value not in choices:
            raise ConfigurationError(f'{where} is {value!r}; choose one of {", ".join(choices)}')
        return value
    allowed = (int, float) if hint is float else hint
    if not isinstance(value, allowed) or isinstance(value, bool) != (hint is bool):
        raise ConfigurationError(f'{where} is {value!r}; it must be a {hint.__name__}')
    return hint(value)
