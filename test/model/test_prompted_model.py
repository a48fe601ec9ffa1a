from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from magma_ros.errors import InstructionError
from magma_ros.image.image_preparation import prepare_image
from magma_ros.model.action_model import ModelIdentity
from magma_ros.model.network.crops import Grid
from magma_ros.model.network.magma_config import MAGMA_8B, MAGMA_NANO, MagmaConfig
from magma_ros.model.prompted_model import PromptedModel
from magma_ros.model.text import prompts
from magma_ros.model.text.mark_text import Click
from magma_ros.model.text.text_tokenizer import TextTokenizer

# The tokenizer of nano, the pictures of 8B.
FOUR_CROPS = replace(MAGMA_NANO, name='four crops', preprocessor=MAGMA_8B.preprocessor)
FOUR_CROPS = replace(FOUR_CROPS, decoder=replace(FOUR_CROPS.decoder, max_position_embeddings=2000))


class WatchedNetwork:
    """Says a given text whatever it is shown, and remembers what it was shown.

    The visual tokens of the n-th picture are all n, words are 0.
    """

    def __init__(self, config: MagmaConfig, answer: Sequence[int] = ()) -> None:
        self._config = config
        self._answer = [*answer, config.vocabulary.end_of_turn]
        self.pictures: list[tuple[np.ndarray, Grid]] = []
        self.prompt = np.zeros((0, 1), np.float32)

    def encode_image(self, pixels: np.ndarray, grid: Grid) -> np.ndarray:
        self.pictures.append((pixels, grid))
        return np.full((self._config.visual_tokens(grid), 1), len(self.pictures), np.float32)

    def embed(self, ids: Sequence[int]) -> np.ndarray:
        return np.zeros((len(ids), 1), np.float32)

    def decode(self, embeddings: np.ndarray, cache: int | None) -> tuple[np.ndarray, int]:
        if cache is None:
            self.prompt = embeddings
        logits = np.zeros(self._config.vocabulary.rows, np.float32)
        logits[self._answer[min(cache or 0, len(self._answer) - 1)]] = 1.0
        return logits, (cache or 0) + 1


def ask(
    config: MagmaConfig, tokenizer: TextTokenizer, answer: str = ''
) -> tuple[PromptedModel, WatchedNetwork]:
    network = WatchedNetwork(config, tokenizer.encode_text(answer))
    identity = ModelIdentity(config.name, '')
    return PromptedModel(identity, config, network, tokenizer, prepare_image), network


def random_picture(width: int, height: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ('size', 'grid'), [((960, 540), (2, 2)), ((640, 480), (1, 2)), ((200, 200), (1, 1))]
)
def test_questions_see_the_whole_picture_in_crops(
    size: tuple[int, int], grid: Grid, tokenizer: TextTokenizer
) -> None:
    model, network = ask(FOUR_CROPS, tokenizer, 'a red cube')
    picture = random_picture(*size)
    assert model.answer(picture, 'What is this?') == 'a red cube'
    ((pixels, seen_grid),) = network.pictures
    assert seen_grid == grid
    assert np.array_equal(pixels, prepare_image(picture, MAGMA_8B.preprocessor.for_questions()))
    words = len(tokenizer.encode(prompts.question_prompt('What is this?'))) - 1
    assert len(network.prompt) == words + FOUR_CROPS.visual_tokens(grid)


def test_actions_and_traces_see_the_robots_square(tokenizer: TextTokenizer) -> None:
    model, network = ask(FOUR_CROPS, tokenizer)
    picture = random_picture(960, 540)
    model.generate_action(picture, 'go', None)
    model.generate_trace(picture, 'go', None)
    model.locate_marks(picture)
    for pixels, grid in network.pictures:
        assert grid == (1, 1)
        assert np.array_equal(pixels, prepare_image(picture, MAGMA_8B.preprocessor))


def test_nano_sees_its_square_whatever_is_asked(tokenizer: TextTokenizer) -> None:
    model, network = ask(MAGMA_NANO, tokenizer)
    picture = random_picture(640, 480)
    model.answer(picture, 'What is this?')
    model.click(picture, 'Save')
    for pixels, grid in network.pictures:
        assert grid == (1, 1)
        assert np.array_equal(pixels, prepare_image(picture, MAGMA_NANO.preprocessor))


def test_frames_take_their_places_in_order(tokenizer: TextTokenizer) -> None:
    model, network = ask(FOUR_CROPS, tokenizer, 'it moves')
    frames = [random_picture(640, 480, seed) for seed in range(3)]
    assert model.answer_video(frames, 'What happens?') == 'it moves'
    for frame, (pixels, grid) in zip(frames, network.pictures, strict=True):
        assert grid == (1, 1)
        assert np.array_equal(pixels, prepare_image(frame, MAGMA_8B.preprocessor))
    shown = network.prompt[network.prompt > 0]
    assert shown.tolist() == [1.0] * 272 + [2.0] * 272 + [3.0] * 272
    between = np.diff(np.flatnonzero(np.diff(network.prompt[:, 0])))[1::2]
    ids = tokenizer.encode(prompts.question_prompt('What happens?', 3))
    places = np.flatnonzero(np.array(ids) == MAGMA_NANO.vocabulary.image)
    assert between.tolist() == (np.diff(places) - 1).tolist()


def test_too_many_frames_are_refused(tokenizer: TextTokenizer) -> None:
    model, _ = ask(FOUR_CROPS, tokenizer)
    with pytest.raises(InstructionError, match=r'2\d+ tokens.*at most 2000.*fewer pictures'):
        model.answer_video([random_picture(64, 64)] * 8, 'What happens?')


def test_marks_come_in_pixels_and_clicks_in_shares(tokenizer: TextTokenizer) -> None:
    model, _ = ask(FOUR_CROPS, tokenizer, 'Mark 1 at [128,64]. Mark 2 at [0,255]')
    marks = model.locate_marks(random_picture(640, 480))
    assert {mark: place.tolist() for mark, place in marks.items()} == {
        1: [320.0, 120.0],
        2: [0.0, 478.125],
    }
    model, _ = ask(FOUR_CROPS, tokenizer, 'Coordinate: (0.04, 0.12). Mark: 12')
    assert model.click(random_picture(640, 480), 'Save') == Click((0.04, 0.12), 12)
    model, _ = ask(FOUR_CROPS, tokenizer, 'nowhere')
    assert model.click(random_picture(640, 480), 'Save') is None


@pytest.mark.parametrize('sentence', ['', ' ', 'a' * 1_000_000, 'two\nlines'])
def test_unusable_sentences_never_reach_the_network(
    sentence: str, tokenizer: TextTokenizer
) -> None:
    model, network = ask(FOUR_CROPS, tokenizer)
    picture = random_picture(64, 64)
    for question in (
        lambda: model.generate_action(picture, sentence, None),
        lambda: model.generate_trace(picture, sentence, None),
        lambda: model.answer(picture, sentence),
        lambda: model.answer_video([picture], sentence),
        lambda: model.click(picture, sentence),
    ):
        with pytest.raises(InstructionError):
            question()
    assert network.pictures == []


def test_room_for_the_answer_is_asked_for_before_anything_is_computed(
    tokenizer: TextTokenizer,
) -> None:
    picture = random_picture(64, 64)
    prompt = len(tokenizer.encode(prompts.action_prompt('go'))) - 1 + MAGMA_NANO.visual_tokens()
    for room, fits in ((6, True), (5, False)):  # the seventh id is never read
        decoder = replace(MAGMA_NANO.decoder, max_position_embeddings=prompt + room)
        model, network = ask(replace(MAGMA_NANO, decoder=decoder), tokenizer)
        if fits:
            assert len(model.generate_action(picture, 'go', None).ids) == 7
        else:
            with pytest.raises(InstructionError, match='answer may take 7, but .* at most'):
                model.generate_action(picture, 'go', None)
            assert network.pictures == []


def test_text_needs_the_room_of_the_longest_answer(tokenizer: TextTokenizer) -> None:
    decoder = replace(MAGMA_NANO.decoder, max_position_embeddings=200)
    model, network = ask(replace(MAGMA_NANO, decoder=decoder), tokenizer)
    with pytest.raises(InstructionError, match='answer may take 160, but .* at most 200'):
        model.answer(random_picture(64, 64), 'what?')
    assert network.pictures == []


def test_marks_are_said_in_words_as_in_training(tokenizer: TextTokenizer) -> None:
    model, network = ask(MAGMA_NANO, tokenizer)
    picture = random_picture(512, 256)
    cells = {1: (10, 20), 4: (255, 0)}
    marks = {1: np.array([20.0, 20.0]), 4: np.array([600.0, -3.0])}

    model.generate_trace(picture, 'Go home.', None, marks)
    said = prompts.trace_prompt('Go home.', cells, 6, None, '', 'robot')
    assert len(network.prompt) == len(tokenizer.encode(said)) - 1 + MAGMA_NANO.visual_tokens()

    model.generate_trace(picture, 'Go home.', None)
    said = prompts.trace_prompt('Go home.', (1,), 6)
    assert len(network.prompt) == len(tokenizer.encode(said)) - 1 + MAGMA_NANO.visual_tokens()


def test_nano_has_no_words_and_magma_has(tokenizer: TextTokenizer) -> None:
    assert not ask(MAGMA_NANO, tokenizer)[0].has_words
    assert ask(MAGMA_8B, tokenizer)[0].has_words
