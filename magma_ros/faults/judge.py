"""The judge: a process that reads nothing but the fake arm's own record, and never ROS."""

from __future__ import annotations

import argparse
import math
import os
import sys
import threading
from collections import deque
from collections.abc import Iterable
from typing import Any

import numpy as np

from magma_ros.faults.rig_commands import CommandServer
from magma_ros.faults.tip_kinematics import TipKinematics
from magma_ros.faults.truth import Event, Sample, read_truth
from magma_ros.faults.verdict import Bounds, Envelope, Trace, Verdict, judge
from magma_ros.robot.arm_profile import ArmProfile, load_arm_profile

REMEMBERED = 60_000  # samples: five minutes
NOW = 5  # samples that say how fast the arm is now


class Judge:
    """Keeps the record of the last minutes, and judges parts of it."""

    def __init__(self, profile: ArmProfile) -> None:
        self._kinematics = TipKinematics(
            profile.urdf_text(), profile.joint_names, profile.base_link, profile.tip_link
        )
        self._envelope = Envelope(
            profile.limits,
            np.array(profile.joint_lower_rad),
            np.array(profile.joint_upper_rad),
            np.array(profile.joint_speed_rad_s),
        )
        self._home_m = self._tip(np.array(profile.start_joints_rad))
        self._samples: deque[tuple[Sample, Any, Any]] = deque(maxlen=REMEMBERED)
        self._events: deque[Event] = deque(maxlen=REMEMBERED)
        self._lock = threading.Lock()

    def read(self, lines: Iterable[str]) -> None:
        """Take the record down until it ends."""
        for entry in read_truth(lines):
            if isinstance(entry, Event):
                with self._lock:
                    self._events.append(entry)
                continue
            told, tip = self._tip(entry.commanded_rad), self._tip(entry.true_rad)
            with self._lock:
                self._samples.append((entry, told, tip))

    def now(self) -> dict[str, Any]:
        """Where the tip is, how far from the start pose (m), and how fast (m/s)."""
        with self._lock:
            last = list(self._samples)[-NOW:]
        if len(last) < NOW:
            return {'tip_m': None, 'away_m': None, 'speed_m_s': 0.0}
        (first, _, before), (sample, _, tip) = last[0], last[-1]
        way_m = float(np.linalg.norm(tip - before))
        return {
            'tip_m': tip.tolist(),
            'away_m': (tip - self._home_m).tolist(),
            'speed_m_s': way_m / (sample.at_s - first.at_s),
        }

    def count(self, event: str, since_s: float) -> dict[str, Any]:
        """How often something happened."""
        with self._lock:
            return {'count': sum(e.name == event and e.at_s >= since_s for e in self._events)}

    def verdict(self, since_s: float, fault_s: float, bounds: dict[str, Any]) -> dict[str, Any]:
        """Judge everything since ``since_s``; infinite times are None."""
        with self._lock:
            part = [entry for entry in self._samples if entry[0].at_s >= since_s]
            impossible = sum(e.name == 'impossible' and e.at_s >= since_s for e in self._events)
            told = [(e.at_s, e.value) for e in self._events if e.name == 'told']
        trace = Trace(
            np.array([sample.at_s for sample, _, _ in part]),
            np.array([told for _, told, _ in part]),
            np.array([tip for _, _, tip in part]),
            np.array([sample.true_rad for sample, _, _ in part]),
            impossible,
            tuple(end for end in told if end[0] >= since_s),
        )
        return write_verdict(judge(trace, self._envelope, fault_s, Bounds(**bounds)))

    def _tip(self, joints_rad: np.ndarray) -> np.ndarray:
        return self._kinematics.tip(joints_rad)


def write_verdict(found: Verdict) -> dict[str, Any]:
    """As JSON has it."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in vars(found).items()
    }


def main() -> int:
    """Judge until the runner has gone."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--arm', required=True)
    parser.add_argument('--truth-fd', type=int, required=True)
    options = parser.parse_args()
    court = Judge(load_arm_profile(options.arm))
    record = os.fdopen(options.truth_fd)
    threading.Thread(target=court.read, args=(record,), daemon=True).start()
    CommandServer({'now': court.now, 'count': court.count, 'verdict': court.verdict}).serve()
    return 0


if __name__ == '__main__':
    sys.exit(main())
