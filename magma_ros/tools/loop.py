"""``magma loop``: closes the loop in simulation, from recordings to a policy that got better.

The camera is put beside the table, where magma-nano has never looked from. Each step is a command
that can be given by itself; a step whose result is there is not done again.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from magma_ros.errors import EnvironmentMissing, MagmaError
from magma_ros.evaluation.statistics.proportions import exact_interval
from magma_ros.resources import config_path
from magma_ros.sim.tasks import TaskKind

TASKS: tuple[TaskKind, ...] = ('pick', 'put')
PLACE = 'side'
FIRST_RECORDED_SEED = 2_000_000  # evaluation begins at 100_000, magma-nano's training at 1000
LEAST_GAIN = 0.30
MODULES = ('accelerate', 'matplotlib', 'peft', 'rosbags', 'torch')
EPILOG = """\
steps:
  1  magma evaluate --camera side           magma-nano as it is shipped
  2  scripted episodes, recorded as bags
  3  magma data convert --to magma
  4  paths in hindsight: where the gripper closed and opened, seen from the first picture
  5  magma finetune config/finetune/nano_traces.yaml
  6  magma evaluate --camera side --model   the same scenes, which training has not seen
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``magma loop``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument('--folder', type=Path, default=Path('runs/loop'))
    parser.add_argument('--recordings', type=int, default=240, help='default: %(default)s')
    parser.add_argument(
        '--episodes', type=int, default=50, help='of each evaluation; default: %(default)s'
    )
    parser.add_argument('--seed', type=int, default=100_000, help='of the first evaluated scene')
    parser.add_argument(
        '--config', type=Path, default=config_path('finetune/nano_traces.yaml'), help='of step 5'
    )


def run(options: argparse.Namespace) -> int:
    """Do what is not done yet and print the table; 1 when the gain is too small to be sure of.

    Raises:
        EnvironmentMissing: the finetune or data extra is not installed.
        MagmaError: a step failed; its own message is above.
    """
    missing = [name for name in MODULES if find_spec(name) is None]
    if missing:  # said now, not after the recordings
        raise EnvironmentMissing(
            f'{", ".join(missing)} not installed: pip install -e ".[data,finetune]"'
        )
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    spent = _Spent(folder / 'cpu_seconds.json')
    model = folder / 'run' / 'model_onnx'
    evaluate = ['evaluate', '--camera', PLACE, '--episodes', options.episodes]
    evaluate += ['--seed', options.seed, '--json']
    before = [_evaluate(folder / f'before_{task}.json', [*evaluate, '--task', task], spent)
              for task in TASKS]  # fmt: skip
    bags, data, paths = folder / 'bags', folder / 'data', folder / 'paths'
    spent.on('record', lambda: _record(bags, options.recordings))
    if not data.exists():
        command = ['data', 'convert', bags, '--to', 'magma', '--out', data, '--workers', 1]
        spent.on('convert', lambda: _magma(command, may_leave_out=True))
    if not paths.exists():
        spent.on('label', lambda: _label(bags, data, paths))
    if not model.exists():
        command = ['finetune', options.config, '--data', paths, '--folder', folder / 'run']
        spent.on('finetune', lambda: _magma(command))
    after = [
        _evaluate(
            folder / f'after_{task}.json', [*evaluate, '--task', task, '--model', model], spent
        )
        for task in TASKS
    ]
    print(table(before, after), end='')
    print(spent.text())
    return 0 if is_better(before, after) else 1


def table(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> str:
    """Success of each task and of all together, as Markdown."""
    lines = ['| camera at the side | shipped | finetuned |', '| --- | --- | --- |']
    rows = [(*pair, pair[0]['task']) for pair in zip(before, after, strict=True)]
    for old, new, task in [*rows, (_pooled(before), _pooled(after), 'all')]:
        lines.append(f'| {task} | {_share(old)} | {_share(new)} |')
    return '\n'.join(lines) + '\n'


def is_better(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> bool:
    """Whether all tasks together gained enough, and their 95 % intervals do not overlap."""
    old, new = _pooled(before), _pooled(after)
    gain = new['successes'] / new['n'] - old['successes'] / old['n']
    apart = new['interval_95'][0] > old['interval_95'][1]
    return bool(gain >= LEAST_GAIN and apart)


def _pooled(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    successes, n = (sum(result[key] for result in results) for key in ('successes', 'n'))
    return {'successes': successes, 'n': n, 'interval_95': exact_interval(successes, n)}


def _share(result: dict[str, Any]) -> str:
    low, high = result['interval_95']
    return (
        f'{result["successes"]}/{result["n"]} = {result["successes"] / result["n"]:.2f} '
        f'({low:.2f} to {high:.2f})'
    )


def _record(bags: Path, count: int) -> None:
    from magma_ros.sim.scene import Variation
    from magma_ros.training.finetuning.scripted_bags import record_scripted

    print(f'recording {count} scripted episodes into {bags}', flush=True)
    seeds = range(FIRST_RECORDED_SEED, FIRST_RECORDED_SEED + count)
    record_scripted(bags, TASKS, seeds, Variation(brightness=0.25, camera_place=PLACE))


def _label(bags: Path, data: Path, paths: Path) -> None:
    from magma_ros.robot.arm_profile import load_arm_profile
    from magma_ros.training.finetuning.bag_camera import read_camera
    from magma_ros.training.finetuning.path_labels import label_paths

    base = load_arm_profile('wx250s').base_link
    cameras = {bag.name: read_camera(bag, base) for bag in sorted(bags.iterdir())}
    print(f'{label_paths(data, cameras, paths)} paths in hindsight: {paths}', flush=True)


def _evaluate(result: Path, command: list[Any], spent: _Spent) -> dict[str, Any]:
    if not result.is_file():

        def measure() -> None:
            text = _magma(command)
            part = result.with_suffix('.part')
            part.write_text(text, encoding='utf-8')
            part.replace(result)

        spent.on('evaluate', measure)
    return json.loads(result.read_text(encoding='utf-8'))


def _magma(command: Sequence[Any], may_leave_out: bool = False) -> str:
    """Run a command of magma; what it wrote to standard output, if it was asked for JSON."""
    words = [str(word) for word in command]
    print('magma ' + ' '.join(words), flush=True)
    output = subprocess.PIPE if '--json' in words else None
    program = [sys.executable, '-m', 'magma_ros.tools.magma', *words]
    done = subprocess.run(program, stdout=output, text=True)
    if done.returncode not in ((0, 1) if may_leave_out else (0,)):
        raise MagmaError(f'magma {words[0]} ended with {done.returncode}; its words are above')
    return done.stdout or ''


class _Spent:
    """Processor time of each step, of this process and those it started; kept in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seconds: dict[str, float] = (
            json.loads(path.read_text(encoding='utf-8')) if path.is_file() else {}
        )

    def on(self, step: str, work: Callable[[], object]) -> None:
        """Do it, and note what it took."""
        began_s = _cpu_s()
        work()
        self._seconds[step] = self._seconds.get(step, 0.0) + _cpu_s() - began_s
        self._path.write_text(json.dumps(self._seconds), encoding='utf-8')

    def text(self) -> str:
        """One line."""
        parts = ', '.join(f'{step} {s / 60:.1f}' for step, s in self._seconds.items())
        return f'CPU minutes: {sum(self._seconds.values()) / 60:.1f} ({parts})'


def _cpu_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
