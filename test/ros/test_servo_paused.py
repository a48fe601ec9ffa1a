"""How Servo and a planner share one arm."""

import pytest

pytest.importorskip('rclpy')

from magma_ros.errors import ArmError  # noqa: E402
from magma_ros.ros.motion_planner import servo_paused  # noqa: E402


class Servo:
    """Pauses after it was looked at a few times."""

    def __init__(self, looks):
        self.looks, self.calls = looks, []

    @property
    def is_paused(self):
        self.looks -= 1
        return self.looks < 0

    def pause(self):
        self.calls.append('pause')

    def resume(self):
        self.calls.append('resume')


@pytest.mark.parametrize(('looks', 'error'), [(3, None), (10_000, 'Servo did not pause')])
def test_servo_is_silent_while_somebody_else_moves_the_arm(looks, error):
    servo, now_s = Servo(looks), [0.0]

    def wait(duration_s):
        now_s[0] += duration_s

    def plan():
        with servo_paused(servo, lambda: now_s[0], wait):
            servo.calls.append('plan')
            raise ArmError('no plan')

    with pytest.raises(ArmError, match=error or 'no plan'):
        plan()

    assert servo.calls == (['pause', 'resume'] if error else ['pause', 'plan', 'resume'])
