"""What is asked about the marks of a step, and the picture that carries them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from magma_ros.dataset.export.frame_files import encode_jpeg
from magma_ros.dataset.features.sampling import Sample
from magma_ros.dataset.traces.conversation import to_conversation
from magma_ros.dataset.traces.trace_pictures import draw_label_marks

TRACES, MARKED = 'traces.jsonl', 'marked'


def write_trace(folder: Path, index: int, sample: Sample, quality: int) -> None:
    """Add the question and answer of step ``index``, if there is anything to mark."""
    assert sample.labels is not None
    conversation = to_conversation(sample.labels, sample.instruction.lower())
    if conversation is None:
        return
    about = {
        'step': index,
        'question': conversation.question,
        'answer': conversation.answer,
        'draws_marks': conversation.draws_marks,
    }
    with (folder / TRACES).open('a', encoding='utf-8') as stream:
        stream.write(json.dumps(about) + '\n')
    if conversation.draws_marks:
        rgb = draw_label_marks(next(iter(sample.pictures.values())).rgb, sample.labels)
        path = marked_picture(folder, index)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encode_jpeg(rgb, quality))


def read_traces(folder: Path) -> Iterator[dict[str, Any]]:
    """What was written, in the order of the steps."""
    path = folder / TRACES
    if path.is_file():
        with path.open(encoding='utf-8') as stream:
            yield from map(json.loads, stream)


def marked_picture(folder: Path, index: int) -> Path:
    """The picture of a step with its marks."""
    return folder / MARKED / f'{index:06d}.jpg'
