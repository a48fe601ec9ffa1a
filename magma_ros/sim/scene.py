"""What stands on the table: seeded random layouts for a task."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from magma_ros.sim.tasks import (
    CUBES,
    DIRECTIONS,
    DISTRACTORS,
    RECEPTACLES,
    Task,
    TaskKind,
    push_sign,
)

WORKSPACE_X_M = (0.19, 0.36)
WORKSPACE_Y_M = (-0.15, 0.15)
# Smallest distance between centres: the open gripper (74 mm over the pads) must fit between.
CLEARANCE_M = {('cube', 'cube'): 0.075, ('cube', 'place'): 0.088, ('place', 'place'): 0.100}
PUSH_LANE_M = 0.16  # room along the push that stays free of other things
# Away from where magma-nano has learnt to look from: opposite the arm.
CAMERA_PLACES_M = {'front': (0.0, 0.0, 0.0), 'side': (-0.44, 0.62, -0.01)}


@dataclass(frozen=True)
class Scene:
    """One layout; positions in the base frame."""

    cubes: dict[str, tuple[float, float, float]]  # name -> x, y (m), yaw (rad)
    places: dict[str, tuple[float, float]]  # receptacles and distractors, name -> x, y (m)
    start_m: tuple[float, float, float]  # tool centre point
    start_rpy_rad: tuple[float, float, float]  # away from straight down
    camera_shift_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    look_at_shift_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    light_shift_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    brightness: float = 1.0
    settings: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Variation:
    """How much scenes differ from each other."""

    camera_jitter_m: float = 0.004
    light_jitter_m: float = 0.15
    brightness: float = 0.1  # +- share
    distractors: int = 0
    camera_place: str = 'front'  # of CAMERA_PLACES_M


# Training sees more than any evaluation asks for: none is ever outside of what was seen.
TRAINING_VARIATION = Variation(brightness=0.25)


def random_task(kind: TaskKind, random: np.random.Generator) -> Task:
    """A task of this kind with random objects."""
    target = CUBES[random.integers(len(CUBES))]
    if kind == 'put':
        return Task('put', target, destination=RECEPTACLES[random.integers(len(RECEPTACLES))])
    if kind == 'push':
        return Task('push', target, direction=DIRECTIONS[random.integers(2)])
    return Task(kind, target)


def random_scene(
    task: Task, random: np.random.Generator, variation: Variation | None = None
) -> Scene:
    """A layout in which ``task`` can be done."""
    variation = variation or Variation()
    for _ in range(1000):
        scene = _try_scene(task, random, variation)
        if scene is not None:
            return scene
    raise RuntimeError(f'no free layout found for {task}')  # measured: 1 to 30 tries are enough


def _try_scene(task: Task, random: np.random.Generator, variation: Variation) -> Scene | None:
    others = [name for name in CUBES if name != task.target]
    random.shuffle(others)
    count = 2 if task.kind in ('reach', 'pick') else random.integers(1, 3)
    cube_names = [task.target, *others[:count]]
    place_names: list[str] = []
    if task.destination:
        rest = [name for name in RECEPTACLES if name != task.destination]
        place_names = [task.destination, rest[random.integers(len(rest))]]
    elif random.random() < 0.3:
        place_names = [RECEPTACLES[random.integers(len(RECEPTACLES))]]
    place_names += list(random.permutation(np.array(DISTRACTORS))[: variation.distractors])

    taken: list[tuple[str, np.ndarray]] = []
    cubes: dict[str, tuple[float, float, float]] = {}
    places: dict[str, tuple[float, float]] = {}
    for name in (*place_names, *cube_names):
        kind = 'cube' if name in CUBES else 'place'
        spot = _free_spot(kind, taken, random)
        if spot is None:
            return None
        taken.append((kind, spot))
        if kind == 'cube':
            yaw_rad = random.uniform(-np.pi / 4, np.pi / 4)
            cubes[name] = (float(spot[0]), float(spot[1]), float(yaw_rad))
        else:
            places[str(name)] = (float(spot[0]), float(spot[1]))
    if task.direction and not _lane_is_free(task, cubes, places):
        return None
    return Scene(
        cubes,
        places,
        start_m=(
            random.uniform(0.20, 0.32),
            random.uniform(-0.08, 0.08),
            random.uniform(0.14, 0.19),
        ),
        start_rpy_rad=(
            random.uniform(-0.15, 0.15),
            random.uniform(-0.15, 0.15),
            random.uniform(-0.5, 0.5),
        ),
        camera_shift_m=tuple(
            CAMERA_PLACES_M[variation.camera_place]
            + random.normal(0, variation.camera_jitter_m, 3)
        ),
        look_at_shift_m=tuple(random.normal(0, variation.camera_jitter_m, 3)),
        light_shift_m=tuple(random.normal(0, variation.light_jitter_m, 3)),
        brightness=float(random.uniform(1 - variation.brightness, 1 + variation.brightness)),
    )


def _free_spot(
    kind: str, taken: list[tuple[str, np.ndarray]], random: np.random.Generator
) -> np.ndarray | None:
    for _ in range(50):
        spot = np.array([random.uniform(*WORKSPACE_X_M), random.uniform(*WORKSPACE_Y_M)])
        if all(
            np.linalg.norm(spot - other) >= CLEARANCE_M[min(kind, of), max(kind, of)]
            for of, other in taken
        ):
            return spot
    return None


def _lane_is_free(
    task: Task,
    cubes: dict[str, tuple[float, float, float]],
    places: dict[str, tuple[float, float]],
) -> bool:
    """Whether the target can be pushed: room behind it for the gripper, and nothing in its way."""
    assert task.direction is not None
    sign = push_sign(task.direction)
    x, y, _ = cubes[task.target]
    if not -0.13 < y * sign < 0.07:
        return False
    spots = [spot[:2] for name, spot in cubes.items() if name != task.target] + list(
        places.values()
    )
    return all(
        abs(other_x - x) > 0.075 or not -0.105 < (other_y - y) * sign < PUSH_LANE_M
        for other_x, other_y in spots
    )
