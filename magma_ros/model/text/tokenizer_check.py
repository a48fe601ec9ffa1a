"""Whether a tokenizer is the one a model was trained with: its special tokens tell."""

from __future__ import annotations

from magma_ros.errors import ModelError
from magma_ros.model.network.magma_config import VocabularyConfig
from magma_ros.model.text.text_tokenizer import TextTokenizer

SPECIAL_NAMES = {
    'begin_of_text': '<|begin_of_text|>',
    'start_header': '<|start_header_id|>',
    'end_header': '<|end_header_id|>',
    'end_of_turn': '<|eot_id|>',
    'pad': '<pad>',
    'image': '<image>',
    'action': '<action>',
    'image_start': '<image_start>',
    'image_end': '<image_end>',
}


def special_ids(vocabulary: VocabularyConfig) -> dict[str, int]:
    """Id of each special token by its name."""
    return {name: getattr(vocabulary, field) for field, name in SPECIAL_NAMES.items()}


def check_tokenizer(tokenizer: TextTokenizer, vocabulary: VocabularyConfig) -> None:
    """Compares all special tokens and the size of the vocabulary.

    Raises:
        ModelError: a special token is missing or has another id than in the model, or the
            vocabulary has another size; the message lists every difference.
    """
    found = {name: tokenizer.find_special(name) for name in special_ids(vocabulary)}
    differences = [
        f'{name} is {found[name]}, the weights expect {expected}'
        for name, expected in special_ids(vocabulary).items()
        if found[name] != expected
    ]
    if tokenizer.base_size != vocabulary.base_size:
        differences.append(
            f'its base vocabulary has {tokenizer.base_size} ids, the weights expect '
            f'{vocabulary.base_size}'
        )
    if tokenizer.size > vocabulary.rows:
        differences.append(f'it has {tokenizer.size} ids for {vocabulary.rows} embeddings')
    if differences:
        raise ModelError(
            f'tokenizer.json belongs to another model: {"; ".join(differences)}. '
            'Use the one that came with the checkpoint'
        )
