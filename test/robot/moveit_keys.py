"""Parameters that MoveIt and ros2_control know, with their types: what a typing error is not in.

Read from moveit2 (jazzy 2.12.4 servo_parameters.yaml, humble 2.5.9 servo_parameters.h),
ros2_controllers (humble, jazzy, kilted parameter files), pick_ik and MoveIt's own files. ROS
refuses an integer where it wants a double, so the types are exact. ``*`` stands for any name.
"""

from __future__ import annotations

from typing import Any

SERVO_COMMON = {
    'move_group_name': str,
    'joint_topic': str,
    'command_out_topic': str,
    'command_out_type': str,
    'publish_joint_positions': bool,
    'publish_joint_velocities': bool,
    'publish_joint_accelerations': bool,
    'is_primary_planning_scene_monitor': bool,
    'publish_period': float,
    'smoothing_filter_plugin_name': str,
    'command_in_type': str,
    'scale': {'linear': float, 'rotational': float, 'joint': float},
    'incoming_command_timeout': float,
    'lower_singularity_threshold': float,
    'hard_stop_singularity_threshold': float,
    'leaving_singularity_threshold_multiplier': float,
    'halt_all_joints_in_joint_mode': bool,
    'halt_all_joints_in_cartesian_mode': bool,
    'check_collisions': bool,
    'collision_check_rate': float,
    'self_collision_proximity_threshold': float,
    'scene_collision_proximity_threshold': float,
}
SERVO = {
    **SERVO_COMMON,
    'max_expected_latency': float,
    'use_smoothing': bool,
    'apply_twist_commands_about_ee_frame': bool,
    'joint_limit_margins': [float],
}
SERVO_HUMBLE = {
    **SERVO_COMMON,
    'use_gazebo': bool,
    'planning_frame': str,
    'ee_frame_name': str,
    'robot_link_command_frame': str,
    'low_latency_mode': bool,
    'num_outgoing_halt_msgs_to_publish': int,
    'joint_limit_margin': float,
}
JOINT_LIMITS = {
    'default_velocity_scaling_factor': float,
    'default_acceleration_scaling_factor': float,
    'joint_limits': {
        '*': {
            'has_velocity_limits': bool,
            'max_velocity': float,
            'has_acceleration_limits': bool,
            'max_acceleration': float,
        }
    },
}
KINEMATICS = {
    '*': {
        'kinematics_solver': str,
        'kinematics_solver_search_resolution': float,
        'kinematics_solver_timeout': float,
    }
}
PICK_IK = {
    '*': {
        'kinematics_solver': str,
        'kinematics_solver_timeout': float,
        'mode': str,
        'position_threshold': float,
        'orientation_threshold': float,
        'approximate_solution_position_threshold': float,
        'approximate_solution_orientation_threshold': float,
        'cost_threshold': float,
        'minimal_displacement_weight': float,
    }
}
CARTESIAN_LIMITS = {
    'cartesian_limits': {
        'max_trans_vel': float,
        'max_trans_acc': float,
        'max_trans_dec': float,
        'max_rot_vel': float,
    }
}
MOVEIT_CONTROLLERS = {
    'trajectory_execution': {
        'allowed_execution_duration_scaling': float,
        'allowed_goal_duration_margin': float,
        'allowed_start_tolerance': float,
        'execution_duration_monitoring': bool,
    },
    'moveit_controller_manager': str,
    'moveit_simple_controller_manager': {
        'controller_names': [str],
        '*': {'type': str, 'action_ns': str, 'default': bool, 'joints': [str]},
    },
}
PIPELINE = {'planning_plugins': [str], 'request_adapters': [str], 'response_adapters': [str]}
PIPELINE_HUMBLE = {'planning_plugin': str, 'request_adapters': str}
PLANNERS = {
    'start_state_max_bounds_error': float,
    'planner_configs': {
        'RRTConnect': {'type': str, 'range': float},
        'RRTstar': {
            'type': str,
            'range': float,
            'goal_bias': float,
            'delay_collision_checking': int,
        },
    },
    '*': {
        'default_planner_config': str,
        'planner_configs': [str],
        'longest_valid_segment_fraction': float,
    },
}
CONTROLLER_TYPES = {
    'joint_trajectory_controller/JointTrajectoryController',
    'parallel_gripper_action_controller/GripperActionController',
    'position_controllers/GripperActionController',
    'joint_state_broadcaster/JointStateBroadcaster',
}
TRAJECTORY_CONTROLLER = {
    'joints': [str],
    'command_interfaces': [str],
    'state_interfaces': [str],
    'allow_nonzero_velocity_at_trajectory_end': bool,
    'allow_partial_joints_goal': bool,
    'constraints': {
        'stopped_velocity_tolerance': float,
        'goal_time': float,
        '*': {'trajectory': float, 'goal': float},
    },
    'gains': {'*': {'p': float, 'i': float, 'd': float, 'i_clamp': float}},
}
GRIPPER_CONTROLLER = {
    'joint': str,
    'goal_tolerance': float,
    'allow_stalling': bool,
    'stall_timeout': float,
}


def misfits(values: Any, known: Any, where: str) -> list[str]:
    """Where a file has a key that nobody reads or a value of another type."""
    if isinstance(known, dict):
        if not isinstance(values, dict):
            return [f'{where} must be a table']
        return [
            complaint
            for key, value in values.items()
            for complaint in (
                misfits(value, known[key if key in known else '*'], f'{where}.{key}')
                if key in known or '*' in known
                else [f'{where}.{key} is unknown; known: {sorted(known)}']
            )
        ]
    if isinstance(known, list):
        items = values if isinstance(values, list) else [None]
        return [c for item in items for c in misfits(item, known[0], where)]
    return [] if type(values) is known else [f'{where} is {values!r}, not {known.__name__}']
