"""Why something was refused or stopped: stable numbers for state messages, logs and bags."""

from __future__ import annotations

import enum


class Reason(enum.IntEnum):
    """A reason code. Numbers never change and are never used again for something else.

    Source of the numbers: docs/safety.md. ``reason.text`` says in one line what happened.
    """

    text: str

    def __new__(cls, number: int, text: str) -> Reason:
        """The number is the value; the text rides along."""
        member = int.__new__(cls, number)
        member._value_ = number
        member.text = text
        return member

    ACTION_STALE = 100, 'no new action for too long'
    ACTION_NONFINITE = 101, 'an action has NaN or infinite numbers'
    ACTION_DIMS = 102, 'an action has the wrong number of values'
    ACTION_RANGE = 103, 'an action is far larger than any step the arm may take'
    FRAME = 104, 'an action is given in axes other than the base link of the arm'
    SEQ = 105, 'an action came twice or out of order'
    STAMP_FUTURE = 106, 'an action belongs to a picture from the future'
    STAMP_OLD = 107, 'an action belongs to a picture that is too old'
    SESSION = 108, 'an action belongs to another session'
    STEP_TIME = 109, 'the step time of an action is not the one agreed on'
    ACTION_REFUSED = 110, 'too many actions in a row were refused'
    ACTION_REFUSED_SHARE = 111, 'too many of the last actions were refused'

    CAMERA_STALE = 120, 'no new picture for too long'
    CAMERA_FROZEN = 121, 'the camera repeats the same picture'
    CAMERA_DARK = 122, 'the camera is covered or the room is dark'
    CAMERA_FORMAT = 123, 'the picture has the wrong size or encoding'
    CAMERA_SLOW = 124, 'pictures come too slowly'
    CAMERA_STAMP = 125, 'a picture is from the future or from long ago; look at the clocks'
    CAMERA_FRAME = 126, 'a picture is of another camera'
    CAMERA_COLOURS = 127, 'red and blue seem to be swapped'
    CAMERA_MOVED = 128, 'the camera does not see what it saw in training'

    JOINTS_STALE = 130, 'no joint states for too long'
    JOINTS_INVALID = 131, 'the joint states cannot be right'
    TF = 132, 'a transform is missing or has changed'

    CLOCK_JUMP = 140, 'the ROS clock jumped'

    BOX = 150, 'the gripper is outside of the workspace box'
    JOINT_LIMIT = 151, 'a joint is at its limit'
    SINGULAR = 152, 'the arm is near a singular pose'
    IK = 153, 'no joint positions reach the target'
    COLLISION = 154, 'a collision is near'
    TRACKING = 155, 'the arm does not follow its commands'
    EFFORT = 156, 'a motor works too hard'
    TEMP = 157, 'a motor is too hot'
    PLAN = 158, 'a planned motion found no way, or did not arrive'

    MODEL_CRASH = 160, 'the model process died'
    MODEL_OOM = 161, 'the model ran out of memory'
    MODEL_HASH = 162, 'the model is not the one in the lock file'
    MODEL_SLOW = 163, 'the model is slower than it was'
    MODEL_LOAD = 164, 'the model cannot be loaded'
    MODEL_LOADING = 165, 'the model is not loaded yet'

    HEARTBEAT_CONTROLLER = 170, 'the controller is silent'
    HEARTBEAT_PERCEPTION = 171, 'the perception node is silent'
    HEARTBEAT_SUPERVISOR = 172, 'the supervisor is silent'
    HEARTBEAT_RECORDER = 173, 'the recorder is silent'
    HEARTBEAT_OPERATOR = 174, 'the program of the operator is silent'

    ESTOP = 180, 'emergency stop pressed, or its heartbeat lost'
    DEADMAN = 181, 'the deadman switch was released'
    TAKEOVER = 182, 'the operator took over'
    OPERATOR_HOLD = 183, 'the operator asked to hold'
    REQUEST_REFUSED = 184, 'the request is not allowed in this state'
    PRESENCE = 185, 'nobody confirmed to be present for too long'
    CONFIRMATION = 186, 'the confirmation with the present nonce was not heard for long enough'
    ARMING_CHECK = 187, 'an arming check failed; the answer and the diagnostics name it'

    PUBLISHER_CONFLICT = 190, 'somebody else commands the same arm'
    PARAM = 191, 'a parameter has changed or is wrong'
    UNKNOWN_INPUT = 192, 'an input that is not understood'
    OVERRUN = 193, 'the control loop stood still'
    SERVO = 194, 'MoveIt Servo does not answer or has refused a command'

    DISK = 200, 'the disk is full'
    RECORDER = 201, 'the recorder failed'

    VERIFY_FAILED = 210, 'our own check found a command outside of the limits; please report this'
