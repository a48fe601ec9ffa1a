"""One action of magma-8b's width on this machine: our way against the straightforward way (torch).

Both ways alternate on the same random weights, picture and words (``model_slice``) and must choose
the same ids; a figure is the median over the repeats of one. What a draft is worth depends on how
often actions repeat, which random weights cannot tell, so the decode phase is given for a right
draft, for one that is right up to the middle, for Jacobi iteration from nothing (random weights
are its worst case), and without drafts. Times of the full depth are those of the slice times
eight; preparation does not grow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from magma_ros.benchmarks.model_kernels import (
    RowPasses,
    read_bandwidth,
    seconds,
    steal_and_total,
)
from magma_ros.benchmarks.model_slice import (
    DEPTH_SHARE,
    Choices,
    Words,
    choose_greedily,
    clear_words,
    copy_for_packing,
    quantise_decoder,
    random_picture,
    random_slice,
    slice_config,
)
from magma_ros.benchmarks.model_steps import (
    OurWay,
    StepTimes,
    StraightforwardWay,
    published_preparation,
)
from magma_ros.benchmarks.record import Entry
from magma_ros.image.image_preparation import prepare_image
from magma_ros.model.action_decoding import NEUTRAL, verify_drafts
from magma_ros.model.action_tokens import ACTION_BINS, ACTION_LENGTH
from magma_ros.model.network.magma import MagmaForAction
from magma_ros.model.network.magma_config import MagmaConfig, PreprocessorConfig
from magma_ros.model.network.packed_linear import pack_model

REPEATS = 5
PREPARATIONS = 7  # within a repeat: one is over too soon
RIGHT_HALF = 4  # leading ids of a draft that is right up to the middle
VERIFIED_ROWS = ACTION_LENGTH - 1  # of a draft of seven ids: the prompt itself verifies the first
MOST_STEAL = 0.02  # of all ticks; repeats with more are left out
PIXEL_TOLERANCE = 1e-6

Figures = dict[str, float]


@dataclass(frozen=True)
class Goal:
    """What a figure is compared with; without a limit it is for information."""

    unit: str = 'x'
    limit: float = 0.0
    higher_is_better: bool = True


GOALS = {
    'model-step-bf16': Goal(limit=1.4),
    'model-step-bf16-full-depth': Goal(),
    'model-step-int8': Goal(limit=2.0),
    'model-step-int8-full-depth': Goal(),
    'model-vision-bf16': Goal(),
    'model-prefill-bf16': Goal(),
    'model-prefill-int8': Goal(),
    'model-decode-bf16-right-draft': Goal(limit=4.0),
    'model-decode-bf16-half-right-draft': Goal(),
    'model-decode-bf16-jacobi': Goal(),
    'model-decode-bf16-no-draft': Goal(),
    'model-decode-int8-right-draft': Goal(),
    'model-verification-over-pass-of-1': Goal(limit=1.15, higher_is_better=False),
    'model-pass-of-7-over-pass-of-1': Goal(),
    'model-decode-share-of-bandwidth': Goal('share', 0.75),
    'model-decode-speed-full-depth': Goal('tokens/s'),
    'model-read-bandwidth': Goal('GB/s'),
    'model-preparation': Goal(limit=5.0),
}


def measure(config: MagmaConfig | None = None, repeats: int = REPEATS) -> list[Entry]:
    """Speed-ups over the straightforward way, and what the machine would allow.

    Takes about 5 GB and some minutes.

    Raises:
        ValueError: the two ways chose different ids, or prepared different pixels.
    """
    model = random_slice(config or slice_config())
    rgb = random_picture()
    undisturbed: list[Figures] = []
    disturbed = 0
    before = steal_and_total()
    for figures in _repeat(model, rgb, repeats):
        after = steal_and_total()
        if after[0] - before[0] > MOST_STEAL * max(after[1] - before[1], 1):
            disturbed += 1
        else:
            undisturbed.append(figures)
        before = after
    entries = [
        Entry(name, round(median(values), 3), goal.unit, goal.limit, None, goal.higher_is_better)
        for name, goal in GOALS.items()
        if (values := [figures[name] for figures in undisturbed if name in figures])
    ]
    return [*entries, Entry('model-disturbed-repeats', disturbed, 'of all', repeats)]


def _repeat(model: MagmaForAction, rgb: NDArray[np.uint8], repeats: int) -> Iterator[Figures]:
    """First everything in bfloat16, then int8: both at once would take 2 GB more."""
    baseline = StraightforwardWay(model)
    packed = copy_for_packing(model)
    pack_model(packed)
    ours = OurWay(packed)
    words = clear_words(ours.network, prepare_image(rgb, model.config.preprocessor))
    passes = RowPasses(packed, len(ours.prompt(rgb, words)))
    for _ in range(repeats):
        plain = baseline.run(rgb, words)
        step = ours.run(rgb, words, np.array(plain.choices))
        _require_equal(step.choices, plain.choices, 'with a right draft')
        figures = _ratios(plain, step, 'bf16') | _drafted_decoding(ours, rgb, words, plain)
        yield figures | _single_passes(passes) | _preparation(rgb, model.config.preprocessor)
    del packed, ours, passes
    packed = copy_for_packing(model)
    quantise_decoder(packed)
    pack_model(packed, int8_inputs=True)
    ours = OurWay(packed)
    expected, _ = _decode(ours, ours.prompt(rgb, words), _no_draft(), keeps_confirmed=False)
    for _ in range(repeats):
        plain = baseline.run(rgb, words)
        step = ours.run(rgb, words, expected)
        _require_equal(step.choices, tuple(expected.tolist()), 'in int8 with a right draft')
        yield _ratios(plain, step, 'int8')


def _ratios(plain: StepTimes, step: StepTimes, precision: str) -> Figures:
    full = [times.prepare_s + DEPTH_SHARE * times.network_s for times in (plain, step)]
    return {
        f'model-step-{precision}': plain.step_s / step.step_s,
        f'model-step-{precision}-full-depth': full[0] / full[1],
        f'model-vision-{precision}': plain.vision_s / step.vision_s,
        f'model-prefill-{precision}': plain.prefill_s / step.prefill_s,
        f'model-decode-{precision}-right-draft': plain.decode_s / step.decode_s,
    }


def _drafted_decoding(
    ours: OurWay, rgb: NDArray[np.uint8], words: Words, plain: StepTimes
) -> Figures:
    half = np.array(plain.choices)
    half[RIGHT_HALF:] = (half[RIGHT_HALF:] + ACTION_BINS // 2) % ACTION_BINS
    prompt = ours.prompt(rgb, words)
    figures = {}
    for name, draft, keeps_confirmed in (
        ('half-right-draft', half, True),
        ('jacobi', _no_draft(), True),
        ('no-draft', _no_draft(), False),
    ):
        choices, decode_s = _decode(ours, prompt, draft, keeps_confirmed)
        _require_equal(tuple(choices.tolist()), plain.choices, f'with {name}')
        figures[f'model-decode-bf16-{name}'] = plain.decode_s / decode_s
    return figures


def _decode(
    ours: OurWay, prompt: NDArray[np.float32], draft: Choices, keeps_confirmed: bool
) -> tuple[Choices, float]:
    first, score = ours.network.begin_action(prompt)
    choices = draft

    def work() -> None:
        nonlocal choices
        choices, _, _ = verify_drafts(first, score, choose_greedily, draft, keeps_confirmed)

    decode_s = seconds(work)
    return choices, decode_s


def _no_draft() -> Choices:
    return np.full(ACTION_LENGTH, NEUTRAL, dtype=np.intp)


def _single_passes(passes: RowPasses) -> Figures:
    one_s = seconds(lambda: passes.run(1))
    verification_s = seconds(lambda: passes.run(VERIFIED_ROWS))
    seven_s = seconds(lambda: passes.run(ACTION_LENGTH))
    bandwidth = read_bandwidth()
    return {
        'model-verification-over-pass-of-1': verification_s / one_s,
        'model-pass-of-7-over-pass-of-1': seven_s / one_s,
        'model-decode-share-of-bandwidth': passes.weight_bytes / one_s / 1e9 / bandwidth,
        'model-decode-speed-full-depth': 1 / (DEPTH_SHARE * one_s),
        'model-read-bandwidth': bandwidth,
    }


def _preparation(rgb: NDArray[np.uint8], settings: PreprocessorConfig) -> Figures:
    found, expected = prepare_image(rgb, settings), published_preparation(rgb, settings).numpy()
    if np.abs(found - expected).max() > PIXEL_TOLERANCE:
        raise ValueError('our preparation does not give the pixels of the published one')
    pairs = [
        (
            seconds(lambda: published_preparation(rgb, settings)),
            seconds(lambda: prepare_image(rgb, settings, found)),
        )
        for _ in range(PREPARATIONS)
    ]
    return {'model-preparation': median(published / ours for published, ours in pairs)}


def _require_equal(found: tuple[int, ...], expected: tuple[int, ...], what: str) -> None:
    if found != expected:
        raise ValueError(f'{what} the ids are {found}, but {expected} were expected')
