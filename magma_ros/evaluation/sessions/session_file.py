"""The YAML file that says what a session compares; config/sessions/ has two that explain it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from magma_ros.errors import ConfigurationError, InstructionError
from magma_ros.evaluation.sessions.conditions import (
    THROUGH,
    Condition,
    Through,
    read_condition,
    tell_tale_words,
)
from magma_ros.evaluation.sessions.layouts import Layouts, read_layouts
from magma_ros.evaluation.sessions.order import check_balance
from magma_ros.evaluation.sessions.stopping import Comparison, read_comparison
from magma_ros.evaluation.sessions.table_fields import check_name, number, one_of, read_table
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.sim.instructions import understand
from magma_ros.sim.tasks import TASK_KINDS
from magma_ros.yaml_tables import check_keys, load_yaml

MOST_CONDITIONS = 8
SECTIONS = ('tasks', 'layouts', 'conditions', 'comparison', 'record')


@dataclass(frozen=True)
class Recorded:
    """What is kept of each trial beside its record."""

    motion: bool = True  # end effector, 50 Hz
    picture: bool = True  # of how it ended
    bag: bool = False  # everything, by the recorder


@dataclass(frozen=True)
class SessionTask:
    """What is to be done."""

    kind: str = one_of((*TASK_KINDS, ''), '')  # of the simulation, which then draws the objects
    instruction: str = ''  # on hardware: what is said
    time_limit_s: float = number(1.0, 3600.0, 60.0)  # on hardware; the simulation has its own


@dataclass(frozen=True, kw_only=True)
class _Head:
    """The keys of the file that are single values."""

    title: str
    seed: int = number(0, 2**31 - 1)
    through: Through = one_of(THROUGH)
    arm: str = 'wx250s'
    blinding: bool = True
    success: Literal['simulation', 'operator'] = one_of(('simulation', 'operator'), 'simulation')
    blocks: int = number(1, 1000, 1)


@dataclass(frozen=True, kw_only=True)
class Session(_Head):
    """A session as its file says it; every name in it is only a name."""

    tasks: Mapping[str, SessionTask]
    layouts: Layouts
    conditions: Mapping[str, Condition]
    comparison: Comparison | None
    record: Recorded

    @property
    def cells(self) -> list[tuple[str, str]]:
        """Every (task, layout)."""
        return [(task, layout) for task in self.tasks for layout in self.layouts.ids]


def load_session(path: Path) -> Session:
    """Read and check the whole file, so that nothing is found wrong in the middle of a session.

    Raises:
        ConfigurationError: it cannot be read; keys or values are unknown, names are more than
            names, the order cannot be balanced, or a blinded session names its conditions where
            the operator reads.
    """
    if not path.is_file():
        raise ConfigurationError(
            f'{path} is no file; write one after config/sessions/demo_sim.yaml'
        )
    return read_session(load_yaml(path), path.parent, str(path))


def read_session(values: Any, folder: Path, where: str) -> Session:
    """The same from a table; ``folder`` is what relative paths in it are below of."""
    known = [one.name for one in fields(_Head)]
    required = ['title', 'seed', 'through', 'tasks', 'layouts', 'conditions']
    check_keys(values, (*known, *SECTIONS), where, required)
    head = read_table(_Head, {n: v for n, v in values.items() if n in known}, where)
    load_arm_profile(head.arm)
    is_real = head.through == 'hardware'
    if head.success != ('operator' if is_real else 'simulation'):
        raise ConfigurationError(
            f'{where}: success: {head.success} through {head.through}: on hardware the operator '
            'says so, in simulation the simulation does'
        )
    tasks = _read_named(values['tasks'], f'{where}, tasks')
    conditions = {
        name: read_condition(one, head.through, folder, f'{where}, conditions, {name}')
        for name, one in _read_named(values['conditions'], f'{where}, conditions').items()
    }
    if len(conditions) > MOST_CONDITIONS:
        raise ConfigurationError(f'{where}: at most {MOST_CONDITIONS} conditions')
    session = Session(
        **{name: getattr(head, name) for name in known},
        tasks={n: _read_task(one, is_real, f'{where}, tasks, {n}') for n, one in tasks.items()},
        layouts=read_layouts(values['layouts'], is_real, folder, f'{where}, layouts'),
        conditions=conditions,
        comparison=read_comparison(values.get('comparison'), conditions, f'{where}, comparison'),
        record=read_table(Recorded, values.get('record') or {}, f'{where}, record'),
    )
    check_balance(len(conditions), len(session.cells), session.blocks)
    if session.record.bag and session.through == 'core':
        raise ConfigurationError(f'{where}, record: bags are recorded through nodes and hardware')
    if session.blinding:
        _check_discretion(session, where)
    return session


def _read_named(values: Any, where: str) -> dict[str, Any]:
    if not isinstance(values, dict) or not values:
        raise ConfigurationError(f'{where} must be a table of names and what they mean')
    return {check_name(name, where): one for name, one in values.items()}


def _read_task(values: Any, is_real: bool, where: str) -> SessionTask:
    known = {'instruction', 'time_limit_s'} if is_real else {'kind', 'instruction'}
    check_keys(values, known, where)
    task = read_table(SessionTask, values, where)
    if is_real and not task.instruction:
        raise ConfigurationError(f'{where}: instruction is missing, what is said to the policy')
    if not is_real and bool(task.kind) == bool(task.instruction):
        raise ConfigurationError(
            f'{where}: give either kind, one of {", ".join(TASK_KINDS)}, or an instruction'
        )
    if not is_real and task.instruction:
        try:
            understand(task.instruction)
        except InstructionError as error:
            raise ConfigurationError(f'{where}: {error}') from error
    return task


def _check_discretion(session: Session, where: str) -> None:
    """What the operator reads must not name what is compared."""
    shown = {
        'title': [session.title],
        'tasks': [*session.tasks, *(task.instruction for task in session.tasks.values())],
        'layouts': session.layouts.ids,
    }
    for name, condition in session.conditions.items():
        for word in tell_tale_words(name, condition):
            for key, texts in shown.items():
                if any(word.lower() in text.lower() for text in texts):
                    raise ConfigurationError(
                        f'{where}: {key} has {word!r} in it, and the operator of a blinded '
                        'session reads it: use another word there, or set blinding: false'
                    )
