"""Everything that decides what a dataset looks like, in one record that can be compared."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from typing import Literal, get_args

from magma_ros import __version__
from magma_ros.dataset.actions.conventions import BRIDGE, ActionConvention
from magma_ros.dataset.actions.steps import NoOpRules
from magma_ros.dataset.features.mapping import Mapping
from magma_ros.dataset.features.sampling import SamplingRules
from magma_ros.dataset.reading.segments import SegmentRules
from magma_ros.errors import ConfigurationError

Format = Literal['lerobot', 'magma', 'parquet', 'hdf5', 'rlds']
FORMATS: tuple[Format, ...] = get_args(Format)
LAYOUT = 1  # grows with every change of what is written
NAME = re.compile(r'[a-z0-9][a-z0-9_.-]{0,63}')
TFDS_NAME = re.compile(r'[a-z][a-z0-9_]*')  # what tensorflow-datasets takes
Grade = Literal['A', 'B', 'C', 'D']


@dataclass(frozen=True)
class ConversionRules:
    """See docs/data.md."""

    name: str  # of the dataset, and key of its statistics
    format: Format
    mapping: Mapping
    sampling: SamplingRules = field(default_factory=SamplingRules)
    convention: ActionConvention = BRIDGE
    no_ops: NoOpRules = field(default_factory=NoOpRules)
    segments: SegmentRules = field(default_factory=SegmentRules)
    despite_damage: bool = False
    with_failures: bool = False  # episodes the operator called failures
    worst_grade: Grade = 'C'
    validation_share: float = 0.1
    with_traces: bool = False
    jpeg_quality: int = 95

    def __post_init__(self) -> None:
        """Refuse what makes no sense, or what a format cannot hold."""
        if not NAME.fullmatch(self.name):
            raise ConfigurationError(
                f'{self.name[:60]!r} cannot name a dataset: use up to 64 of a-z 0-9 _ . -'
            )
        if self.format not in FORMATS:
            raise ConfigurationError(f'format {self.format!r}: choose from {", ".join(FORMATS)}')
        if self.format == 'rlds' and not TFDS_NAME.fullmatch(self.name):
            raise ConfigurationError(
                f'{self.name!r} cannot name an RLDS dataset: give a --name of a-z 0-9 _, a '
                'letter first'
            )
        if not 0.0 <= self.validation_share < 1.0:
            raise ConfigurationError(f'validation share {self.validation_share}: give 0 to 1')
        if self.format == 'lerobot' and self.sampling.rate_hz % 1.0:
            raise ConfigurationError('LeRobot datasets have a whole number of frames per second')
        if self.with_traces and self.format != 'magma':
            raise ConfigurationError('traces are questions and answers: --to magma has them')
        is_ours = self.convention.turn == 'euler' and self.convention.open_value == 1
        if self.format == 'magma' and not is_ours:
            raise ConfigurationError(
                'Magma is trained on Euler angles and 1 for an open gripper: --convention bridge '
                '--rotation euler'
            )

    def digest(self, *others: str) -> str:
        """The same for the same rules, software and others."""
        content = {
            'layout': LAYOUT,
            'version': __version__,
            'rules': asdict(self),
            'others': others,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
