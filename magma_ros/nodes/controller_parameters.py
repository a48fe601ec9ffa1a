"""Parameters of the controller. Nothing set is the safest there is: it refuses to arm."""

from __future__ import annotations

from dataclasses import dataclass

from magma_ros.motion.chunk_blending import BLENDINGS
from magma_ros.motion.modes import TransitionRules
from magma_ros.motion.watchdog import WatchdogThresholds
from magma_ros.ros.parameters import parameter
from magma_ros.ros.planner_finder import PLANNERS


@dataclass(frozen=True)
class ControllerParameters:
    """Defaults are for hardware (docs/safety.md)."""

    arm: str = parameter('wx250s', 'arm profile, a file of config/arms')
    rate_hz: float = parameter(50.0, 'of the control loop', 'Hz', 20.0, 500.0)
    blending: str = parameter('newest', 'of overlapping action chunks', choices=BLENDINGS)
    simulated: bool = parameter(False, 'no real arm: its box is known, and sim time is allowed')
    auto_resume: bool = parameter(False, 'leave HOLD without the operator when all is well again')
    require_estop: bool = parameter(True, 'an emergency stop must be heard, or the arm stops')
    require_supervisor: bool = parameter(True, 'a supervisor must be heard, or the arm stops')
    require_perception: bool = parameter(True, 'perception must be heard, or the arm holds')
    joints_hold_s: float = parameter(0.05, 'age of joint states that holds', 's', 0.01, 1.0)
    joints_stop_s: float = parameter(0.10, 'age of joint states that stops', 's', 0.02, 2.0)
    perception_hold_s: float = parameter(0.5, 'silence of perception that holds', 's', 0.2, 5.0)
    supervisor_hold_s: float = parameter(0.15, 'silence of the supervisor: hold', 's', 0.06, 5.0)
    supervisor_stop_s: float = parameter(0.3, 'silence of the supervisor: stop', 's', 0.1, 10.0)
    estop_s: float = parameter(0.3, 'silence of the emergency stop that stops', 's', 0.15, 2.0)
    deadman_hold_s: float = parameter(0.2, 'silence of the deadman: hold', 's', 0.1, 1.0)
    overrun_hold_s: float = parameter(0.1, 'gap between two ticks that holds', 's', 0.02, 1.0)
    overrun_stop_s: float = parameter(0.2, 'gap between two ticks that stops', 's', 0.04, 2.0)
    presence_hold_s: float = parameter(120.0, 'policy motion without the operator', 's', 1, 3600)
    confirmed_profile: str = parameter('', 'arming: name of the arm profile, typed by a person')
    box_recorded: bool = parameter(False, 'arming: the box of the profile is that of this table')
    calibration_date: str = parameter('', 'arming: of the camera, as 2026-01-31')
    model_sha256: str = parameter('', 'arming: the model that may act')
    recording_directory: str = parameter('', 'arming: its disk must have room; empty: none needed')
    planner: str = parameter('auto', 'of home, approach, retreat', choices=PLANNERS)
    waived_checks: str = parameter('', 'arming checks that this machine does without; commas')

    def thresholds(self) -> WatchdogThresholds:
        """Those that are parameters; the others are constants."""
        return WatchdogThresholds(
            joints_hold_s=self.joints_hold_s,
            joints_stop_s=self.joints_stop_s,
            perception_hold_s=self.perception_hold_s,
            supervisor_hold_s=self.supervisor_hold_s,
            supervisor_stop_s=self.supervisor_stop_s,
            estop_s=self.estop_s,
            deadman_hold_s=self.deadman_hold_s,
            overrun_hold_s=self.overrun_hold_s,
            overrun_stop_s=self.overrun_stop_s,
            presence_hold_s=self.presence_hold_s,
        )

    def rules(self) -> TransitionRules:
        """Of the state machine."""
        return TransitionRules(may_resume=self.auto_resume)
