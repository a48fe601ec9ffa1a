"""Writes a model as ONNX (torch): graphs, embedding table, configuration, tokenizer.

    vision.onnx             crops of a picture -> visual tokens; tower, assembly and projector
    decoder.onnx            prompt, step or draft -> hidden states, logits of the 256 action ids
    head.onnx               hidden states -> logits of the whole vocabulary; only with logits="all"
    embeddings.safetensors  ids -> embeddings, looked up without a graph
    config.json, tokenizer.json

A graph too big for one protobuf message has its weights in ``<name>.onnx.data`` beside it.

Memory: the model as it is given, in its own precision, and one converted tensor. magma-8b in
bf16 takes 17.8 GB, and its largest tensor, an embedding table, 2.1 GB in fp32. Its files take
35.6 GB in fp32, 17.8 GB in fp16 and 16.4 GB in int8: half of that for the linear layers of the
decoder's blocks, the rest is in fp32.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import onnx_ir
import torch
from safetensors.torch import save_file

from magma_ros.errors import ConfigurationError, ModelError
from magma_ros.model.action_tokens import ACTION_BINS
from magma_ros.model.backends.onnx_model import (
    DATA_ENDING,
    EMBEDDING_KEY,
    HEAD_FILE,
    LAYOUT,
    LAYOUT_KEY,
)
from magma_ros.model.network.magma import MagmaForAction
from magma_ros.model.network.magma_config import MagmaConfig, write_config
from magma_ros.model.text.text_tokenizer import load_tokenizer
from magma_ros.model.text.tokenizer_check import check_tokenizer
from magma_ros.model.weights.byte_progress import byte_progress
from magma_ros.model.weights.checkpoint import load_checkpoint
from magma_ros.model.weights.checksum import Advance, write_checksums
from magma_ros.model.weights.model_folder import open_folder
from magma_ros.model.weights.onnx_graphs import (
    Decoder,
    Graph,
    Head,
    Vision,
    action_head,
    trace_graph,
)
from magma_ros.model.weights.onnx_weights import INT8_BLOCK, bind_weights, is_int8
from magma_ros.model.weights.output_folder import filling, require_disk_space
from magma_ros.model.weights.tensor_shapes import expected_shapes

OnnxPrecision = Literal['fp32', 'fp16', 'int8-blocks']
Logits = Literal['action', 'all']
Report = Callable[[str], object]

EXTERNAL_FROM_BYTES = 1_500_000_000  # one protobuf message holds at most 2 GB
GRAPHS: dict[str, type[Graph]] = {
    'vision.onnx': Vision,
    'decoder.onnx': Decoder,
    HEAD_FILE: Head,
}
HEAD_NAME = 'language_model.lm_head.weight'
ACCOMPANYING = ('dataset_statistics.json', 'manifest.json')  # of a finetuned checkpoint


@dataclass(frozen=True)
class ExportSettings:
    """What is written."""

    precision: OnnxPrecision = 'fp32'
    logits: Logits = 'all'  # "action": no head.onnx, so no traces and answers
    external_from_bytes: int = EXTERNAL_FROM_BYTES

    def __post_init__(self) -> None:
        choices = {'precision': get_args(OnnxPrecision), 'logits': get_args(Logits)}
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ConfigurationError(
                    f'{name} {getattr(self, name)!r} is unknown: choose one of {allowed}'
                )

    @property
    def dtype(self) -> torch.dtype:
        """Of everything that is not int8."""
        return torch.float16 if self.precision == 'fp16' else torch.float32

    def int8_layers(self, config: MagmaConfig) -> int:
        """Blocks of the decoder whose linear layers are in int8: all but the last.

        Nothing evens out what is rounded there: of magma-nano's action ids 98.9 % are within one
        bin of fp32 with the last block in int8, and 99.4 % without; no other block gains as much.
        """
        return config.decoder.num_hidden_layers - 1 if self.precision == 'int8-blocks' else 0

    @property
    def graphs(self) -> dict[str, type[Graph]]:
        """The files to write."""
        has_head = self.logits == 'all'
        return {name: kind for name, kind in GRAPHS.items() if has_head or name != HEAD_FILE}


def export_onnx(
    model: MagmaForAction,
    tokenizer_json: Path,
    directory: Path,
    settings: ExportSettings | None = None,
    report: Report = lambda _: None,
) -> None:
    """Writes everything ``onnx_model.load_onnx_model`` reads into ``directory``.

    Args:
        model: on the CPU, in any floating precision.
        tokenizer_json: the tokenizer it was trained with; copied.
        directory: made if missing; files of the same names are replaced.
        settings: precision and extent.
        report: told what is done, line by line.

    Raises:
        ModelError: the model is quantised.
        ConfigurationError: the disk has too little room.
    """
    settings = settings or ExportSettings()
    tensors = tensors_by_name(model)
    total_bytes = estimate_bytes(model.config, settings)
    directory.mkdir(parents=True, exist_ok=True)
    require_disk_space(directory, total_bytes)
    for name in (HEAD_FILE, *(graph + DATA_ENDING for graph in GRAPHS)):
        (directory / name).unlink(missing_ok=True)  # of an earlier export with other settings
    with byte_progress(f'exporting {model.config.name}', total_bytes) as advance:
        for name, kind in settings.graphs.items():
            report(f'tracing {name}')
            graph = trace_graph(kind, model.config, settings.dtype)
            bind_weights(graph, tensors, settings.int8_layers(model.config))
            graph.metadata_props.update({LAYOUT_KEY: LAYOUT, 'precision': settings.precision})
            report(f'writing {name}')
            _save(graph, directory / name, settings, advance)
        table = model.language_model.model.embed_tokens.weight.detach().to(settings.dtype)
        embeddings = directory / 'embeddings.safetensors'
        save_file({EMBEDDING_KEY: table.contiguous()}, embeddings)
        embeddings.chmod(0o644)  # it would be readable for its owner only
        advance(table.nbytes)
    write_config(model.config, directory / 'config.json')
    if tokenizer_json.resolve() != (directory / 'tokenizer.json').resolve():
        shutil.copyfile(tokenizer_json, directory / 'tokenizer.json')


def export_checkpoint(
    checkpoint: Path,
    directory: Path,
    settings: ExportSettings | None = None,
    report: Report = lambda _: None,
) -> None:
    """:func:`export_onnx` from folder to folder, with SHA256SUMS.

    ``config.json`` comes last but one: a folder whose writing was interrupted is refused.

    Args:
        checkpoint: as for ``checkpoint.load_checkpoint``, with ``tokenizer.json``.
        directory: made if missing; must be empty.
        settings: precision and extent.
        report: told what is done, line by line.

    Raises:
        ModelError: the checkpoint is not a complete, undamaged one in floating point with its own
            tokenizer.
        ConfigurationError: the folder is not empty, the disk has too little room, or writing
            failed; then nothing stays behind.
    """
    settings = settings or ExportSettings()
    tokenizer_json = checkpoint / 'tokenizer.json'
    config = open_folder(checkpoint).config
    check_tokenizer(load_tokenizer(tokenizer_json), config.vocabulary)
    with filling(directory, estimate_bytes(config, settings)):
        report(f'loading {config.name}')
        export_onnx(load_checkpoint(checkpoint), tokenizer_json, directory, settings, report)
        for name in ACCOMPANYING:
            if (checkpoint / name).is_file():
                shutil.copyfile(checkpoint / name, directory / name)
        report('noting checksums')
        write_checksums(directory)


def estimate_bytes(config: MagmaConfig, settings: ExportSettings) -> int:
    """Size of the weights in the files; the graphs themselves add less than a megabyte each."""
    shapes = expected_shapes(config)
    if settings.logits == 'action':
        del shapes[HEAD_NAME]
    total = ACTION_BINS * config.decoder.hidden_size * settings.dtype.itemsize
    for name, shape in shapes.items():
        count = math.prod(shape)
        if is_int8(name, shape, settings.int8_layers(config)):
            total += count + count // INT8_BLOCK * torch.float32.itemsize
        else:
            total += count * settings.dtype.itemsize
    return total


def tensors_by_name(model: MagmaForAction) -> dict[str, torch.Tensor]:
    """Parameters and buffers by the names that traced graphs have for them.

    Raises:
        ModelError: the model is quantised.
    """
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    quantised = sorted(expected_shapes(model.config).keys() - tensors)
    quantised += [name for name, tensor in tensors.items() if not tensor.is_floating_point()]
    if quantised:
        raise ModelError(
            f'{model.config.name} is quantised ({quantised[0]} is not a floating-point tensor): '
            'load it in bf16, fp16 or fp32, and export with precision int8-blocks'
        )
    named = {f'model.{name}': tensor for name, tensor in tensors.items()}
    return {**named, 'action_head': action_head(model)}


def _save(graph: onnx_ir.Model, path: Path, settings: ExportSettings, advance: Advance) -> None:
    weights = [value.const_value for value in graph.graph.initializers.values()]
    size = sum(weight.nbytes for weight in weights if weight is not None)
    if size < settings.external_from_bytes:
        onnx_ir.save(graph, path)
        advance(size)
        return

    def note_written(tensor: onnx_ir.TensorProtocol, _: object) -> None:
        advance(tensor.nbytes)

    onnx_ir.save(graph, path, external_data=path.name + DATA_ENDING, callback=note_written)
