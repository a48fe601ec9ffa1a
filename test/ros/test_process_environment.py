from pathlib import Path
from xml.etree import ElementTree

import pytest

from magma_ros.errors import ConfigurationError
from magma_ros.ros.process_environment import process_environment

USER = {'PATH': '/usr/bin', 'HOME': '/home/user'}
FRAME_BYTES = 640 * 480 * 3


def test_everything_a_node_needs_is_set_without_any_variable_of_the_user():
    environment = process_environment(7, USER)

    assert environment['ROS_DOMAIN_ID'] == '7'
    assert environment['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'LOCALHOST'
    assert Path(environment['FASTDDS_DEFAULT_PROFILES_FILE']).is_file()
    assert 'FASTRTPS_DEFAULT_PROFILES_FILE' not in environment
    assert int(environment['MALLOC_MMAP_THRESHOLD_']) > FRAME_BYTES
    assert {'MALLOC_TRIM_THRESHOLD_', 'MALLOC_TOP_PAD_'} <= environment.keys()


def test_inherited_variables_are_kept_and_not_changed():
    inherited = dict(USER)

    environment = process_environment(None, inherited)

    assert environment.items() >= USER.items()
    assert inherited == USER
    assert 'ROS_DOMAIN_ID' not in environment


def test_what_the_user_has_set_wins():
    chosen = {
        'FASTRTPS_DEFAULT_PROFILES_FILE': '/etc/robot.xml',
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET',
        'MALLOC_TOP_PAD_': '1',
        'ROS_DOMAIN_ID': '3',
    }

    environment = process_environment(None, chosen)

    assert environment.items() >= chosen.items()
    assert 'FASTDDS_DEFAULT_PROFILES_FILE' not in environment


def test_a_domain_that_is_asked_for_wins_over_the_inherited_one():
    assert process_environment(9, {'ROS_DOMAIN_ID': '3'})['ROS_DOMAIN_ID'] == '9'


@pytest.mark.parametrize('domain_id', [-1, 102, 232])
def test_impossible_domains_are_refused(domain_id):
    with pytest.raises(ConfigurationError, match='from 0 to 101'):
        process_environment(domain_id, USER)


def test_older_distributions_get_the_names_they_know():
    humble = process_environment(None, {'ROS_DISTRO': 'humble'})
    jazzy = process_environment(None, {'ROS_DISTRO': 'jazzy'})

    assert humble['ROS_LOCALHOST_ONLY'] == '1'
    assert 'ROS_AUTOMATIC_DISCOVERY_RANGE' not in humble
    assert Path(humble['FASTRTPS_DEFAULT_PROFILES_FILE']).is_file()
    assert Path(jazzy['FASTRTPS_DEFAULT_PROFILES_FILE']).is_file()
    assert jazzy['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'LOCALHOST'


def test_the_profile_holds_several_pictures_and_replaces_the_default_transports():
    profile = ElementTree.parse(process_environment(None, USER)['FASTDDS_DEFAULT_PROFILES_FILE'])
    name = '{http://www.eprosima.com}'

    segment = int(profile.find(f'.//{name}segment_size').text)
    largest_message = int(profile.find(f'.//{name}maxMessageSize').text)
    used = [element.text for element in profile.findall(f'.//{name}userTransports/{name}*')]
    described = [
        element.text for element in profile.findall(f'.//{name}transport_descriptor/{name}*')
    ]

    assert segment >= 16 * FRAME_BYTES
    assert FRAME_BYTES < largest_message <= segment
    assert set(used) <= set(described)
    assert profile.find(f'.//{name}useBuiltinTransports').text == 'false'
    assert profile.find(f'.//{name}participant').get('is_default_profile') == 'true'
