"""Brings the processes of the rig to where a fault may be injected, again and again."""

from __future__ import annotations

import signal
import time

from magma_ros.faults.rig_processes import RigProcesses

BEGIN_S = 90.0  # until the arm is armed and moves, whatever the rows before left behind
REQUEST_S = 0.1  # between two requests of the operator
CRUISING_M_S = 0.10
RESTING_M_S = 1e-4
MIDDLE_M = 0.06  # half the stretch in which a sweeping arm is fast and far from turning
HOME_M = (0.01, 0.01, 0.01)  # an arm that is further away is brought home before it is armed
NEAR_M = (0.03, 0.15, 0.03)  # where the policy may simply go on
GOALS = {'still': 'policy', 'moving': 'policy'}  # modes
NEXT_REQUEST = {
    'disarmed': 'arm',
    'ready': 'start',
    'hold': 'start',
    'stop': 'clear',
    'estop': 'clear',
}
SENTENCE = 'put the red cube into the bowl'


class Rig(RigProcesses):
    """See :class:`RigProcesses` for its arguments."""

    def recover(self) -> None:
        """Everything alive and well again, the arm disarmed, or still obeying its policy."""
        for name in [name for name in self.processes if name not in self._programs]:
            self.processes.pop(name).close()
        defective, self._instead = list(self._instead), {}
        for name in defective:
            self._end(name)
        for program in self._programs.values():
            process = self.processes[program.name]
            process.send(signal.SIGCONT)
            if process.exit_code is not None:
                process.close()
                self._start(program)
        self.chaos.ask('relax')
        self.arm.ask('normal')
        if self.kind == 'camera':
            self.camera.ask('picture', fault='')
            self.instruct()
        else:
            self.policy.ask('policy', wish='still')
        if self.kind == 'clock':
            self.chaos.ask('clock', runs=True)
        self.operator.ask('estop', value=True)
        self.operator.ask('deadman', value=False)

    def begin(self, wanted: str) -> None:
        """To ``disarmed``, ``ready``, ``still`` (policy, at rest) or ``moving`` (at speed).

        Raises:
            EnvironmentMissing: it cannot be reached.
        """
        if self.kind == 'camera' and wanted == 'moving' and self.state.get('mode') != 'disarmed':
            self.operator.ask('ask', request='disarm')  # the scripted model knows one way only
        elif self.state.get('refused'):
            self.operator.ask('ask', request='hold')  # starting anew forgives what was refused
        self.wait(lambda: self._is_seen() and self._has_begun(wanted), BEGIN_S, wanted)

    def _is_seen(self) -> bool:
        return self.judge.ask('now')['tip_m'] is not None and 'mode' in self.state

    def _has_begun(self, wanted: str) -> bool:
        """Whether the arm is there; else it is brought one step nearer."""
        mode, goal = self.state['mode'], GOALS.get(wanted, wanted)
        if mode == 'disarmed' and self._is_away(HOME_M):
            self.arm.ask('home')
        if mode == goal:
            if wanted != 'moving' or self.kind != 'camera' or not self._is_away(NEAR_M):
                return self._is_cruising() if wanted == 'moving' else self._is_at_rest()
            mode = ''  # the scripted model has arrived at the wall: home, and once more
        request = NEXT_REQUEST.get(mode, 'disarm')
        if request == 'start' and (goal != 'policy' or self._is_away(NEAR_M)):
            request = 'disarm'
        self.operator.ask('ask', request=request)
        time.sleep(REQUEST_S)
        return False

    def _is_away(self, reach_m: tuple[float, ...]) -> bool:
        away_m = self.judge.ask('now')['away_m']
        return any(abs(part) > most for part, most in zip(away_m, reach_m, strict=True))

    def _is_at_rest(self) -> bool:
        return self.judge.ask('now')['speed_m_s'] < RESTING_M_S

    def _is_cruising(self) -> bool:
        if self.kind != 'camera':
            self.policy.ask('policy', wish='sweep')
        now = self.judge.ask('now')
        is_far_from_turning = self.kind == 'camera' or abs(now['away_m'][1]) < MIDDLE_M
        return now['speed_m_s'] > CRUISING_M_S and is_far_from_turning

    def instruct(self) -> None:
        """Tell perception what to do."""
        self.chaos.ask('instruct', text=SENTENCE)
