"""Measures a model on episodes it does not learn from (torch): losses, and its own answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from magma_ros.model.action_scaling import unnormalise
from magma_ros.model.action_tokens import ACTION_LENGTH, decode_action
from magma_ros.model.backends.torch_model import choose_action_ids
from magma_ros.model.decoding import DecodingSettings
from magma_ros.model.text.text_tokenizer import TextTokenizer
from magma_ros.model.text.trace_text import GRID, parse_trace_answer
from magma_ros.training.finetuning.batches import BatchMaker
from magma_ros.training.finetuning.conversations import ConversationData, Sample
from magma_ros.training.finetuning.examples import ExampleEncoder
from magma_ros.training.finetuning.judging import judge
from magma_ros.training.finetuning.learner import Learner
from magma_ros.training.finetuning.open_loop_plots import draw_actions, draw_traces
from magma_ros.training.finetuning.settings import KINDS, FinetuneSettings, Kind

PLOTTED_TRACES = 6


class Validation:
    """A fixed choice of validation samples, and what the model makes of them."""

    def __init__(
        self,
        data: ConversationData,
        encoder: ExampleEncoder,
        tokenizer: TextTokenizer,
        learner: Learner,
        settings: FinetuneSettings,
        tables: dict[int, Tensor],
        device: torch.device,
    ) -> None:
        self._learner, self._settings = learner, settings
        self._tables, self._statistics, self._tokenizer = tables, data.statistics, tokenizer
        self._chosen = {
            kind: _choose(data.validation, kind, settings.validation_samples, settings.seed)
            for kind in KINDS
            if settings.mixture.share(kind) > 0
        }
        self._samples = [sample for kind in self._chosen.values() for sample in kind]
        self._plotted = _one_episode(data.validation)
        self._make = BatchMaker(
            [*self._samples, *self._plotted], encoder, learner.model, 'none', 0, device
        )

    def measure_loss(self, learner: torch.nn.Module) -> dict[str, float]:
        """Mean loss and share of right action tokens, each token told what came before it.

        ``learner`` is the one that is trained, however it is wrapped.
        """
        learner.eval()
        size = self._settings.micro_batch
        sums: dict[str, list[float]] = {}
        with torch.no_grad():
            for start in range(0, len(self._samples), size):
                indices = range(start, min(start + size, len(self._samples)))
                batch = self._make.make(indices)
                logits = learner(batch.pixels, batch.ids, batch.rows, batch.places)
                _, measured = judge(logits, batch, self._tables, self._settings.soft_bins)
                for name, value in measured.items():
                    sums.setdefault(name, []).append(value)
        return {name: float(np.mean(values)) for name, values in sums.items()}

    def measure_answers(self, folder: Path | None = None) -> dict[str, float]:
        """Errors of what the model answers by itself; with a folder, pictures of them too.

        Actions in millimetres, degrees and openings (mean absolute error), traces in cells of the
        256 x 256 grid (mean distance of points with the same number).
        """
        self._learner.eval()
        measured: dict[str, float] = {}
        action_samples = self._chosen.get('action', [])
        if action_samples:
            offset = self._samples.index(action_samples[0])
            wanted = np.array([sample.action for sample in action_samples])
            found = self._actions(range(offset, offset + len(action_samples)))
            measured |= action_errors(found, wanted)
        traces = self._chosen.get('trace', [])
        if traces:
            offset = self._samples.index(traces[0])
            texts = [self._say(offset + i) for i in range(len(traces))]
            measured |= trace_errors(texts, [sample.answer for sample in traces])
            if folder is not None:
                shown = list(zip(traces, texts, strict=True))[:PLOTTED_TRACES]
                draw_traces(shown, folder / 'traces.png')
        if folder is not None and self._plotted and 'action' in self._chosen:
            first = len(self._samples)
            found = self._actions(range(first, first + len(self._plotted)))
            draw_actions(self._plotted, found, folder / 'open_loop.png')
        return measured

    def _actions(self, indices: Sequence[int]) -> np.ndarray:
        """(n, 7) in metres, radians and opening."""
        assert self._statistics is not None
        model = self._learner.model
        base = model.config.vocabulary.base_size
        choose = choose_action_ids(base, DecodingSettings.rule)
        normalised = []
        for index in indices:
            ids = model.generate(
                self._prompt(index), ACTION_LENGTH, choose, head=model.action_logits
            )
            normalised.append(decode_action(ids[0].cpu().numpy(), base))
        return unnormalise(np.stack(normalised), self._statistics)

    def _say(self, index: int) -> str:
        model = self._learner.model
        end = model.config.vocabulary.end_of_turn
        longest = DecodingSettings.max_text_tokens
        ids = model.generate(self._prompt(index), longest, lambda logits: logits.argmax(-1), end)
        return self._tokenizer.decode(ids[0].tolist())

    @torch.inference_mode()
    def _prompt(self, index: int) -> Tensor:
        """(1, T, d) embeddings of a question with its picture."""
        model = self._learner.model
        batch = self._make.make([index])
        maps = batch.pixels
        maps = model.vision_tower(maps) if maps.shape[1] == 3 else maps
        prompt = torch.tensor(self._make.example(index).prompt, device=batch.ids.device)
        return model.merge([prompt], [[model.multi_modal_projector(maps)[0]]])[0]


def action_errors(found: np.ndarray, wanted: np.ndarray) -> dict[str, float]:
    """Mean absolute errors of (n, 7) actions in real units."""
    error = np.abs(found - wanted).mean(axis=0)
    return {
        'l1_mm': float(1000 * error[:3].mean()),
        'l1_deg': float(np.rad2deg(error[3:6].mean())),
        'l1_gripper': float(error[6]),
    }


def trace_errors(found: Sequence[str], wanted: Sequence[str]) -> dict[str, float]:
    """Mean distance of points, and the share of marks that were asked for and not drawn."""
    distances: list[float] = []
    marks = missing = 0
    for said, right in zip(found, wanted, strict=True):
        drawn = {trace.mark: trace for trace in parse_trace_answer(said, GRID, GRID)}
        for trace in parse_trace_answer(right, GRID, GRID):
            marks += 1
            if trace.mark not in drawn:
                missing += 1
                continue
            count = min(len(trace.points_px), len(drawn[trace.mark].points_px))
            away = trace.points_px[:count] - drawn[trace.mark].points_px[:count]
            distances += np.linalg.norm(away, axis=1).tolist()
    errors = {'trace_missing': missing / max(1, marks)}
    return errors | ({'trace_error_px': float(np.mean(distances))} if distances else {})


def _choose(samples: Sequence[Sample], kind: Kind, count: int, seed: int) -> list[Sample]:
    of_kind = [sample for sample in samples if sample.kind == kind]
    if len(of_kind) <= count:
        return of_kind
    rows = np.random.default_rng((seed, 6)).choice(len(of_kind), count, replace=False)
    return [of_kind[row] for row in sorted(rows)]


def _one_episode(samples: Sequence[Sample]) -> list[Sample]:
    """The actions of the first episode, in order."""
    actions = [sample for sample in samples if sample.kind == 'action']
    if not actions:
        return []
    first = min(sample.episode for sample in actions)
    chosen = [sample for sample in actions if sample.episode == first]
    return sorted(chosen, key=lambda sample: sample.step)
