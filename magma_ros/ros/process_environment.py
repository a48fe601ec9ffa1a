"""Environment variables of the processes the ``magma`` command starts; the user never sets any."""

from __future__ import annotations

import os
from collections.abc import Mapping

from magma_ros.errors import ConfigurationError
from magma_ros.resources import config_path

# Above 101 the UDP ports of a domain overlap Linux's ephemeral ports (RTPS well-known port rule).
LARGEST_DOMAIN_ID = 101

# glibc gives frame-sized blocks back to the kernel at every free: 420 page faults a picture.
# All three are needed; 32 MiB is the largest threshold every glibc accepts.
KEEP_FRAMES_ON_THE_HEAP = {
    'MALLOC_MMAP_THRESHOLD_': str(32 * 1024**2),
    'MALLOC_TRIM_THRESHOLD_': str(1024**3),
    'MALLOC_TOP_PAD_': str(64 * 1024**2),
}
FAST_DDS_PROFILE = 'fastdds_shared_memory.xml'


def process_environment(
    domain_id: int | None = None, inherited: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Complete environment of a node process, for ``subprocess.Popen(..., env=...)``.

    Variables the user has set win, ``ROS_DOMAIN_ID`` excepted when a domain is asked for. Without
    them discovery stays on this machine, pictures go through shared memory (see
    ``config/fastdds_shared_memory.xml``) and their memory stays in the process.

    Args:
        domain_id: ROS domain, 0..101; None keeps the inherited one.
        inherited: environment to start from; None means this process's own.

    Raises:
        ConfigurationError: the domain is out of range.
    """
    environment = dict(os.environ if inherited is None else inherited)
    defaults = {
        **KEEP_FRAMES_ON_THE_HEAP,
        **_profile_variables(environment),
        **_discovery_variables(environment),
    }
    for name, value in defaults.items():
        environment.setdefault(name, value)
    if domain_id is not None:
        environment['ROS_DOMAIN_ID'] = str(_checked(domain_id))
    return environment


def _profile_variables(environment: Mapping[str, str]) -> dict[str, str]:
    names = ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE')
    if any(name in environment for name in names):
        return {}
    profile = str(config_path(FAST_DDS_PROFILE))
    # Fast DDS 2, up to Jazzy, reads the old name; Fast DDS 3 warns about it.
    before_fast_dds_3 = environment.get('ROS_DISTRO') in ('humble', 'jazzy')
    return dict.fromkeys(names if before_fast_dds_3 else names[:1], profile)


def _discovery_variables(environment: Mapping[str, str]) -> dict[str, str]:
    if environment.get('ROS_DISTRO') == 'humble':
        return {'ROS_LOCALHOST_ONLY': '1'}
    return {'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}


def _checked(domain_id: int) -> int:
    if not 0 <= domain_id <= LARGEST_DOMAIN_ID:
        raise ConfigurationError(
            f'ROS domain {domain_id} is not possible; choose one from 0 to {LARGEST_DOMAIN_ID}.'
        )
    return domain_id
