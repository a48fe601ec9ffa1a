"""One configuration class for every size of Magma; ``config.json`` next to the weights."""

from __future__ import annotations

import dataclasses
import json
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from magma_ros.errors import ModelError
from magma_ros.model.network.crops import Grid, choose_grid

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
TOWER_STRIDE_PX = 32
STRATEGIES = ('crop', 'global')


@dataclass(frozen=True)
class PreprocessorConfig:
    """How a picture becomes pixels (names as in Magma's ``preprocessor_config.json``)."""

    base_img_size: int  # side of one crop in pixels
    num_crops: int
    robot_size_px: int | None = (
        256  # pictures are resized to this square first; none: they are not
    )
    mean: tuple[float, float, float] = CLIP_MEAN
    std: tuple[float, float, float] = CLIP_STD
    anyres_strategy: str = 'crop'  # the tower sees each crop alone; 'global': all as one picture

    def __post_init__(self) -> None:
        if self.anyres_strategy not in STRATEGIES:
            raise ModelError(
                f'anyres_strategy {self.anyres_strategy!r} is unknown: put one of {STRATEGIES} '
                'into the preprocessor section of config.json'
            )

    def grid(self, width_px: int, height_px: int) -> Grid:
        """Rows and columns of crops that a picture of this size is prepared to."""
        if self.robot_size_px is not None:
            width_px = height_px = self.robot_size_px
        return choose_grid(width_px, height_px, self.base_img_size, self.num_crops)

    def for_questions(self) -> PreprocessorConfig:
        """The same without the robot's square, as Magma is asked about screenshots and photos.

        A model with a single crop of the robot's size has only ever seen that square: it keeps it.
        """
        sees_more = (self.num_crops, self.base_img_size) != (1, self.robot_size_px)
        return dataclasses.replace(self, robot_size_px=None) if sees_more else self


@dataclass(frozen=True)
class VisionConfig:
    """ConvNeXt in four stages with stride 32."""

    channels: tuple[int, ...]
    depths: tuple[int, ...]
    layer_norm_eps: float = 1e-5
    layer_scale_init: float = 1e-6


@dataclass(frozen=True)
class ProjectorConfig:
    """Two linear layers between tower and decoder."""

    hidden_size: int
    position_features: bool = (
        False  # our extra for nano: adds learned features of the cell's place
    )


@dataclass(frozen=True)
class DecoderConfig:
    """A Llama decoder (names as in transformers' ``LlamaConfig``)."""

    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    rope_theta: float
    rms_norm_eps: float = 1e-5
    max_position_embeddings: int = 8192

    @property
    def head_size(self) -> int:
        """Length of one attention head's keys and values."""
        return self.hidden_size // self.num_attention_heads


@dataclass(frozen=True)
class VocabularyConfig:
    """Where the ids are. The last 256 of the base vocabulary double as actions."""

    base_size: int
    rows: int  # of the embedding table and the output head
    begin_of_text: int
    start_header: int
    end_header: int
    end_of_turn: int
    pad: int
    image: int
    action: int
    image_start: int
    image_end: int


@dataclass(frozen=True)
class StateConfig:
    """Turns the arm's state into seven integers 0..255 (an extra of nano; Magma has none).

    Order: x, y, z in metres in the base frame; roll, pitch, yaw in radians away from straight down
    (``rotations.euler_from_down``); gripper opening.
    """

    name: str
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class MagmaConfig:
    """Everything that fixes shapes and token rules of one model."""

    name: str
    preprocessor: PreprocessorConfig
    vision: VisionConfig
    projector: ProjectorConfig
    decoder: DecoderConfig
    vocabulary: VocabularyConfig
    statistics_key: str | None = None  # action statistics the model was trained with, if only one
    state: StateConfig | None = None

    def visual_tokens(self, grid: Grid = (1, 1)) -> int:
        """Tokens of ``grid`` (rows, columns) crops: each row of the map ends in a separator."""
        cells = self.preprocessor.base_img_size // TOWER_STRIDE_PX
        return grid[0] * cells * (grid[1] * cells + 1)


# The towers by name. Source: timm 1.0 for all but nano, which is ours. The epsilon of LayerNorm
# is 1e-5 in xxlarge only.
CONVNEXT = {
    'xxlarge': VisionConfig((384, 768, 1536, 3072), (3, 4, 30, 3)),
    'large': VisionConfig((192, 384, 768, 1536), (3, 3, 27, 3), layer_norm_eps=1e-6),
    'base': VisionConfig((128, 256, 512, 1024), (3, 3, 27, 3), layer_norm_eps=1e-6),
    'tiny': VisionConfig((96, 192, 384, 768), (3, 3, 9, 3), layer_norm_eps=1e-6),
    'nano': VisionConfig((24, 48, 96, 160), (1, 1, 3, 2), layer_scale_init=0.1),
}

PUBLISHED_VOCABULARY = VocabularyConfig(
    base_size=128000,
    rows=128261,
    begin_of_text=128000,
    start_header=128006,
    end_header=128007,
    end_of_turn=128009,
    pad=128256,
    image=128257,
    action=128258,
    image_start=128259,
    image_end=128260,
)

MAGMA_8B = MagmaConfig(
    name='magma-8b',
    preprocessor=PreprocessorConfig(base_img_size=512, num_crops=4),
    vision=CONVNEXT['xxlarge'],
    projector=ProjectorConfig(hidden_size=4096),
    decoder=DecoderConfig(
        hidden_size=4096,
        intermediate_size=14336,
        num_hidden_layers=32,
        num_attention_heads=32,
        num_key_value_heads=8,
        rope_theta=500000.0,
    ),
    vocabulary=PUBLISHED_VOCABULARY,
)

# Everything as in magma-8b but narrow: 121 MB in bf16, more than half of it embedding tables.
MAGMA_TINY = MagmaConfig(
    name='magma-tiny',
    preprocessor=MAGMA_8B.preprocessor,
    vision=CONVNEXT['tiny'],
    projector=ProjectorConfig(hidden_size=128),
    decoder=DecoderConfig(
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        rope_theta=500000.0,
    ),
    vocabulary=PUBLISHED_VOCABULARY,
)

MAGMA_NANO = MagmaConfig(
    name='magma-nano',
    preprocessor=PreprocessorConfig(base_img_size=256, num_crops=1),
    vision=CONVNEXT['nano'],
    projector=ProjectorConfig(hidden_size=512, position_features=True),
    decoder=DecoderConfig(
        hidden_size=128,
        intermediate_size=352,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=4,
        rope_theta=10000.0,
        max_position_embeddings=1024,
    ),
    vocabulary=VocabularyConfig(
        base_size=1024,
        rows=1033,
        begin_of_text=1024,
        start_header=1025,
        end_header=1026,
        end_of_turn=1027,
        pad=1028,
        image=1029,
        action=1030,
        image_start=1031,
        image_end=1032,
    ),
    statistics_key='magma_nano_sim',
    state=StateConfig(
        name='tabletop',
        low=(0.10, -0.24, 0.0, -0.6, -0.6, -1.6, 0.0),
        high=(0.48, 0.24, 0.32, 0.6, 0.6, 1.6, 1.0),
    ),
)


def write_config(config: MagmaConfig, path: Path) -> None:
    """Writes the configuration as JSON."""
    path.write_text(json.dumps(dataclasses.asdict(config), indent=2) + '\n', encoding='utf-8')


def read_config(path: Path) -> MagmaConfig:
    """Reads what :func:`write_config` wrote.

    Raises:
        ModelError: the file is missing, not JSON, or has unknown, missing or ill-typed entries.
    """
    if not path.is_file():
        raise ModelError(
            f'{path} does not exist: give a folder that holds config.json and the weights'
        )
    try:
        entries = json.loads(path.read_text(encoding='utf-8'))
    except json.JSONDecodeError as error:
        raise ModelError(
            f'{path} is not JSON ({error}): copy it again from the release'
        ) from error
    return _build(MagmaConfig, entries, str(path))


def _build(kind: Any, entries: Any, where: str) -> Any:
    """A dataclass from JSON entries; recursive, strict about names."""
    if not isinstance(entries, dict):
        raise ModelError(f'{where} must be an object of {kind.__name__}, but is {entries!r}')
    known = {field.name: field for field in dataclasses.fields(kind)}
    required = {name for name, field in known.items() if field.default is dataclasses.MISSING}
    wrong = sorted(entries.keys() - known.keys()) + sorted(required - entries.keys())
    if wrong:
        raise ModelError(
            f'{where}: unknown or missing entries {wrong}; {kind.__name__} has {sorted(known)}'
        )
    types = typing.get_type_hints(kind)
    return kind(
        **{name: _value(types[name], entries[name], f'{where}: {name}') for name in entries}
    )


def _value(hint: Any, value: Any, where: str) -> Any:
    options = [option for option in typing.get_args(hint) if option is not type(None)]
    if value is None and type(None) in typing.get_args(hint):
        return None
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise ModelError(f'{where} must be a list, but is {value!r}')
        return tuple(value)
    kind = options[0] if options else hint
    if dataclasses.is_dataclass(kind):
        return _build(kind, value, where)
    if not isinstance(value, (int, float) if kind is float else kind):
        raise ModelError(f'{where} must be {kind.__name__}, but is {value!r}')
    return value
