"""Topics and services of the recorder; ros/topics.py has them in its table."""

from __future__ import annotations

from diagnostic_msgs.msg import DiagnosticStatus
from std_msgs.msg import String
from std_srvs.srv import Trigger

from magma_ros.ros.topic_kinds import COMMANDS, LATCHED, Service, make_topic

RECORDER_STATE = make_topic(
    '/magma/recorder_state',
    DiagnosticStatus,
    LATCHED,
    'recorder',
    'controller, operator',
    'episode, rates, losses, disk; level ERROR asks the controller to hold (DISK, RECORDER)',
)
RECORDER_NOTE = make_topic(
    '/magma/recorder/note',
    String,
    COMMANDS,
    'operator',
    'recorder',
    'what the operator has to say about the present or the last episode',
)
RECORDER_TOPICS = (RECORDER_STATE, RECORDER_NOTE)
RECORDER_SERVICES = {
    request: Service(f'/magma/recorder/{request}', Trigger, 'recorder', meaning)
    for request, meaning in {
        'start': 'begin an episode, with the seconds before it',
        'stop': 'end it and keep it, without a judgement',
        'success': 'it succeeded; ends it if it still runs',
        'failure': 'it failed; ends it if it still runs',
        'discard': 'put the present or the last episode aside; nothing is deleted',
        'keep': 'end the present episode, or bring the discarded one back',
    }.items()
}
