"""The whole matrix: the rows that are run, and those that are not, with the reason.

To add a row: write a ``Row`` into the file of its group, with an injector beside it (a function
from the rig to the time of the fault), take its number out of NOT_COVERED, and try it with
``magma bench faults --rows F99``. A trial says where the arm is before the fault, in which mode
and for which reason it must end, and from when on the usual bounds count (``fault_row.py``).
"""

from __future__ import annotations

from magma_ros.errors import ConfigurationError
from magma_ros.faults.action_rows import ACTION_ROWS
from magma_ros.faults.camera_rows import CAMERA_ROWS
from magma_ros.faults.fault_row import Row
from magma_ros.faults.middleware_rows import MIDDLEWARE_ROWS
from magma_ros.faults.operator_rows import OPERATOR_ROWS
from magma_ros.faults.pair_rows import PAIR_ROWS
from magma_ros.faults.perception_rows import PERCEPTION_ROWS
from magma_ros.faults.process_rows import PROCESS_ROWS
from magma_ros.faults.recorder_rows import RECORDER_ROWS
from magma_ros.faults.time_rows import TIME_ROWS

ALL_IDS = tuple(f'F{number:02}' for number in range(1, 81))
ROWS: tuple[Row, ...] = tuple(
    sorted(
        (
            *ACTION_ROWS,
            *PERCEPTION_ROWS,
            *TIME_ROWS,
            *PROCESS_ROWS,
            *CAMERA_ROWS,
            *MIDDLEWARE_ROWS,
            *OPERATOR_ROWS,
            *PAIR_ROWS,
            *RECORDER_ROWS,
        ),
        key=lambda row: row.id,
    )
)
# Fault and reason.
NOT_COVERED: dict[str, tuple[str, str]] = {
    'F19': ('unreachable pose', 'we send twists; there is no pose to reach'),
    'F37': ('two sources of transforms disagree', 'not detected: the newer one counts'),
    'F38': ('wall clock an hour off', 'needs libfaketime'),
    'F49': ('the launcher is killed', 'needs ROS launch; the operator falling silent is F62'),
    'F50': ('a node that crashes at every start', 'nothing starts nodes again'),
    'F76': ('another sentence in the middle', 'by design it begins anew without a HOLD'),
    'F78': ('effort over its limit', 'effort is not read'),
    'F79': ('reflex of a Franka', 'needs its driver'),
}


def choose_rows(names: str) -> tuple[Row, ...]:
    """The rows of these ids, separated by commas; nothing: all.

    Raises:
        ConfigurationError: an id is not that of a row that is run.
    """
    by_id = {row.id: row for row in ROWS}
    wanted = [name.strip().upper() for name in names.split(',') if name.strip()]
    unknown = [name for name in wanted if name not in by_id]
    if unknown:
        raise ConfigurationError(
            f'rows {", ".join(unknown)} are not run; those that are: {", ".join(by_id)}'
        )
    return tuple(by_id[name] for name in wanted) if wanted else ROWS
