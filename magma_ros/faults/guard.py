"""The one gate that every injected fault passes: only where asked for, only on the fake arm."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping

from magma_ros.errors import ConfigurationError

SWITCH = 'MAGMA_FAULTS'
FAKE_ARM = 'fake_arm'  # the node whose joint states count as harmless


def check_allowed(
    arm_publishers: Collection[str] | None = None, environment: Mapping[str, str] = os.environ
) -> None:
    """Refuse unless faults were asked for and the arm is the fake one.

    Args:
        arm_publishers: names of the nodes that publish joint states; None: not known yet.
        environment: of this process.

    Raises:
        ConfigurationError: it must not happen here.
    """
    if environment.get(SWITCH) != '1':
        raise ConfigurationError(
            f'faults are injected only with {SWITCH}=1, which "magma bench faults" sets for its '
            'own processes; never set it where a real arm is'
        )
    if arm_publishers is not None and set(arm_publishers) != {FAKE_ARM}:
        raise ConfigurationError(
            f'faults are injected only where {FAKE_ARM} is the arm; joint states come from '
            f'{sorted(set(arm_publishers)) or "nobody"}'
        )
