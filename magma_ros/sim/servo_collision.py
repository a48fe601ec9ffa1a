"""What may be hit, and how Servo slows down before it.

The arm is the collision geometry of its URDF, the world a few primitives in the base frame;
distances are Coal's. Source of the scale: moveit_servo 2.12, src/collision_monitor.cpp.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import coal
import numpy as np
import pinocchio

from magma_ros.data_types import FloatArray
from magma_ros.sim.servo_records import ServoSettings

SCALE_AT_CONTACT = 0.001


@dataclass(frozen=True)
class Box:
    """Sides along the axes of the base."""

    size_m: tuple[float, float, float]
    centre_m: tuple[float, float, float]

    def geometry(self) -> coal.CollisionGeometry:
        """For Coal."""
        return coal.Box(*self.size_m)


@dataclass(frozen=True)
class Sphere:
    """A ball."""

    radius_m: float
    centre_m: tuple[float, float, float]

    def geometry(self) -> coal.CollisionGeometry:
        """For Coal."""
        return coal.Sphere(self.radius_m)


@dataclass(frozen=True)
class Table:
    """Everything below a horizontal plane."""

    height_m: float

    @property
    def centre_m(self) -> tuple[float, float, float]:
        """A point of the plane."""
        return 0.0, 0.0, self.height_m

    def geometry(self) -> coal.CollisionGeometry:
        """For Coal."""
        return coal.Halfspace(0.0, 0.0, 1.0, 0.0)


Obstacle = Box | Sphere | Table


class ArmBodies:
    """Distances of an arm to itself and to obstacles.

    Args:
        urdf: text with collision geometry.
        srdf: text whose ``disable_collisions`` say which pairs of links are not checked.
        joint_names: of the arm, in order; others stay at their neutral position.
        fixed_links: links that may touch the world, such as the base on its table.
    """

    def __init__(
        self,
        urdf: str,
        srdf: str,
        joint_names: tuple[str, ...],
        fixed_links: tuple[str, ...] = (),
    ) -> None:
        model = pinocchio.buildModelFromXML(urdf)
        bodies = pinocchio.buildGeomFromUrdfString(model, urdf, pinocchio.GeometryType.COLLISION)
        bodies.addAllCollisionPairs()
        pinocchio.removeCollisionPairsFromXML(model, bodies, srdf)
        others = [model.getJointId(n) for n in model.names[1:] if n not in joint_names]
        neutral = pinocchio.neutral(model)
        self._model, self._bodies = pinocchio.buildReducedModel(model, bodies, others, neutral)
        self._data, self._places = self._model.createData(), self._bodies.createData()
        fixed = {model.getFrameId(link) for link in fixed_links}
        self._free = [
            index
            for index, body in enumerate(bodies.geometryObjects)
            if body.parentFrame not in fixed
        ]

    def distances_m(
        self, joints_rad: FloatArray, obstacles: Iterable[Obstacle]
    ) -> tuple[float, float]:
        """Smallest distance of the arm to itself and to the obstacles; not above 0 in contact."""
        pinocchio.updateGeometryPlacements(
            self._model, self._data, self._bodies, self._places, joints_rad
        )
        to_itself = [
            pinocchio.computeDistance(self._bodies, self._places, index).min_distance
            for index in range(len(self._bodies.collisionPairs))
        ]
        to_world = [
            self._distance_m(index, obstacle) for obstacle in obstacles for index in self._free
        ]
        return min(to_itself, default=math.inf), min(to_world, default=math.inf)

    def _distance_m(self, index: int, obstacle: Obstacle) -> float:
        place = self._places.oMg[index]
        return coal.distance(
            self._bodies.geometryObjects[index].geometry,
            coal.Transform3s(place.rotation, place.translation),
            obstacle.geometry(),
            coal.Transform3s(np.eye(3), np.array(obstacle.centre_m)),
            coal.DistanceRequest(),
            coal.DistanceResult(),
        )


class CollisionMonitor:
    """Looks ``collision_check_rate`` times a second; between two looks nothing is noticed."""

    def __init__(self, bodies: ArmBodies, obstacles: Iterable[Obstacle] = ()) -> None:
        self.obstacles: tuple[Obstacle, ...] = tuple(obstacles)
        self.scale = 1.0  # of the speed: 1 is free, 0 is contact
        self._bodies = bodies
        self._next_s = -math.inf

    def watch(self, now_s: float, joints_rad: FloatArray, settings: ServoSettings) -> None:
        """Update :attr:`scale` if it is time to look again."""
        if now_s < self._next_s:
            return
        period_s = 1.0 / settings.collision_check_rate
        is_in_step = now_s < self._next_s + period_s
        self._next_s = (self._next_s if is_in_step else now_s) + period_s
        if not settings.check_collisions:
            self.scale = 1.0
            return
        to_itself_m, to_world_m = self._bodies.distances_m(joints_rad, self.obstacles)
        self.scale = min(
            _scale(to_itself_m, settings.self_collision_proximity_threshold),
            _scale(to_world_m, settings.scene_collision_proximity_threshold),
        )


def _scale(distance_m: float, threshold_m: float) -> float:
    """1 down to the threshold, then exponentially to SCALE_AT_CONTACT, and 0 from contact on."""
    if distance_m <= 0.0:
        return 0.0
    return min(1.0, math.exp(math.log(SCALE_AT_CONTACT) * (1.0 - distance_m / threshold_m)))
