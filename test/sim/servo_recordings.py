"""Replays recordings of the real MoveIt Servo on the stand-in: same commands, same instants."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from magma_ros.data_types import FloatArray, Pose, Twist
from magma_ros.sim.servo_records import (
    Command,
    CommandType,
    JogCommand,
    JointPoint,
    PoseCommand,
    ServoSettings,
    TwistCommand,
)
from magma_ros.sim.servo_stand_in import ServoStandIn

DATA = Path(__file__).parents[1] / 'data' / 'moveit_servo'
TRANSPORT_S = 0.0004  # from the publisher of a command to Servo
JOINTS_EVERY_S = 0.01
LOOP_S = 0.0003  # from the beginning of a loop to its status

DEMO = ServoSettings(
    publish_period=0.01,
    max_expected_latency=0.1,
    scale_linear=0.2,
    scale_rotational=0.8,
    scale_joint=0.5,
    lower_singularity_threshold=10.0,
    hard_stop_singularity_threshold=30.0,
    joint_limit_margin=0.12,
)
WIDOWX = ServoSettings(
    publish_period=0.02,
    max_expected_latency=0.08,
    scale_linear=0.25,
    scale_rotational=1.3,
    joint_limit_margin=0.1,
)


def changed(settings: ServoSettings, **values) -> ServoSettings:
    return ServoSettings(**{**settings.__dict__, **values})


CONFIGS = {
    'demo': DEMO,
    'butterworth': changed(DEMO, smoothing='butterworth'),
    'no_smoothing': changed(DEMO, smoothing='none'),
    'unitless': changed(DEMO, command_in_type='unitless'),
    'period20_latency80': changed(DEMO, publish_period=0.02, max_expected_latency=0.08),
    'adjoint': DEMO,
    'no_ik_plugin': DEMO,
    'ruckig': changed(DEMO, smoothing='ruckig'),
    'accel_period20': WIDOWX,
    'butterworth_period20': changed(WIDOWX, smoothing='butterworth'),
}


@dataclass
class Run:
    """What came out, on the clock of the recording."""

    statuses: list[tuple[float, int]] = field(default_factory=list)
    published_s: list[float] = field(default_factory=list)
    messages: list[tuple[JointPoint, ...]] = field(default_factory=list)

    def runs_of_status(self) -> list[list]:
        """[first, last, code] of runs of equal status."""
        runs: list[list] = []
        for time_s, code in self.statuses:
            if runs and runs[-1][2] == code:
                runs[-1][1] = time_s
            else:
                runs.append([time_s, time_s, code])
        return runs

    def bursts(self, gap_s: float = 0.05) -> list[list]:
        """[first, last, count] of runs of messages without a gap."""
        bursts: list[list] = []
        for time_s in self.published_s:
            if bursts and time_s - bursts[-1][1] <= gap_s:
                bursts[-1][1], bursts[-1][2] = time_s, bursts[-1][2] + 1
            else:
                bursts.append([time_s, time_s, 1])
        return bursts

    def path(self) -> dict[float, FloatArray]:
        """All points by absolute time, later messages win."""
        return {
            round(point.time_s, 6): point.positions_rad
            for message in self.messages
            for point in message
        }


@cache
def recordings(robot: str) -> dict[str, dict]:
    with gzip.open(DATA / f'{robot}.json.gz', 'rt') as file:
        return json.load(file)


def cases() -> list[tuple[str, str]]:
    return [(robot, name) for robot in ('panda', 'wx250s') for name in recordings(robot)]


class FakeArm:
    """What reports joint states 100 times a second: one of the three models of the recorder."""

    def __init__(self, model: str, start_rad: FloatArray, begin_s: float) -> None:
        self._model, self._next_s, self._seen = model, begin_s, start_rad
        self._message: tuple[JointPoint, ...] = ()

    def follow(self, message: tuple[JointPoint, ...]) -> None:
        self._message = message

    def joints_rad(self, now_s: float) -> FloatArray:
        """As last reported."""
        while self._next_s + TRANSPORT_S <= now_s:
            self._seen = self._now(self._next_s)
            self._next_s += JOINTS_EVERY_S
        return self._seen

    def _now(self, time_s: float) -> FloatArray:
        if self._model == 'stuck' or not self._message:
            return self._seen
        if self._model == 'last_point':
            return self._message[-1].positions_rad
        times = [point.time_s for point in self._message]
        columns = np.array([point.positions_rad for point in self._message]).T
        return np.array([np.interp(time_s, times, column) for column in columns])


def replay(robot: str, name: str, servo: ServoStandIn, obstacles=None) -> Run:
    """Run one case through the loop; ``obstacles(value)`` is told of boxes."""
    case, run = recordings(robot)[name], Run()
    if not name.split('__')[1].startswith('before_switch'):
        servo.switch_command_type(CommandType[case['type']])
    period_s = CONFIGS[case['config']].publish_period
    pending = sorted(
        ((time * 1e-4, run_['do']) for run_ in case['commands'] for time in run_['at_0.1ms']),
        key=lambda item: item[0],
    )
    arm = FakeArm(case['arm'], np.array(case['start'], float), case['joints_at_s'])
    now_s = case['status'][0][0] - LOOP_S
    end_s = case['status'][-1][1]
    while now_s <= end_s:
        while pending and pending[0][0] + TRANSPORT_S <= now_s:
            time_s, do = pending.pop(0)
            _apply(servo, do, time_s, obstacles)
        output = servo.tick(now_s, arm.joints_rad(now_s))
        if output.status is not None:
            run.statuses.append((now_s + LOOP_S, int(output.status)))
        if output.points:
            run.published_s.append(now_s + LOOP_S)
            run.messages.append(output.points)
            arm.follow(output.points)
        now_s += period_s
    return run


def _apply(servo: ServoStandIn, do: dict, time_s: float, obstacles) -> None:
    kind, value = do['type'], do.get('v')
    if kind == 'pause':
        servo.pause(value)
    elif kind == 'switch':
        servo.switch_command_type(value)
    elif kind == 'box':
        obstacles(value)
    elif kind == 'param':
        if do['name'] == 'moveit_servo.check_collisions':
            servo.set_check_collisions(value)
    else:
        servo.receive(_command(do, time_s))


def _command(do: dict, time_s: float) -> Command:
    stamp_s = -1e9 if do.get('stamp_zero') else time_s + do.get('stamp_offset', 0.0)
    values = tuple(float(value) for value in do['v'])
    if do['type'] == 'jog':
        return JogCommand(tuple(do['names']), values, stamp_s)
    frame = do.get('frame', 'base')
    if do['type'] == 'twist':
        return TwistCommand(Twist(np.array(values[:3]), np.array(values[3:])), frame, stamp_s)
    return PoseCommand(Pose(np.array(values[:3]), np.array(values[3:])), frame, stamp_s)
