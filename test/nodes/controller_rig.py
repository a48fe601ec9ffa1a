"""A rig around a controller process: everything else it talks to, in this process."""

import signal
import subprocess
import sys
import threading
import time

import numpy as np
import rclpy
from moveit_msgs.msg import ServoStatus
from moveit_msgs.srv import ServoCommandType
from rclpy.executors import SingleThreadedExecutor
from std_msgs.msg import Bool, String
from std_srvs.srv import SetBool, Trigger

from magma_ros.data_types import DeltaChunk, EndEffectorDelta
from magma_ros.model.action_model import ModelIdentity
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.ros import topics
from magma_ros.ros.arm_messages import (
    joint_state_message,
    trajectory_columns,
    twist_from_message,
)
from magma_ros.ros.chunk_messages import ActionInfo, chunk_to_message, info_to_message
from magma_ros.ros.process_environment import process_environment
from magma_ros.ros.status_messages import heartbeat_message, status_message, status_values
from magma_ros.ros.time_stamps import duration_to_s, stamp_to_ns
from magma_ros.sim.trajectory_player import TrajectoryPlayer, TrajectoryPoint

# Generous ages, because the machine may be busy; nobody presses a real emergency stop here.
PATIENT = (
    'joints_hold_s:=0.5',
    'joints_stop_s:=1.0',
    'perception_hold_s:=1.0',
    'estop_s:=2.0',
    'deadman_hold_s:=1.0',
    'overrun_hold_s:=1.0',
    'overrun_stop_s:=2.0',
    'simulated:=true',
    'require_estop:=false',
    'require_supervisor:=false',
    'waived_checks:=calibration,kinematics,model_hash,model_warm,clock',
)


class ControllerRig:
    """A fake arm and perception around a real controller process.

    Servo is fake, too, unless ``with_servo``: then the stand-in runs as a process, the arm does
    what its trajectories say, and ``truth`` is where the tool really was: (time, x, y, z).
    """

    def __init__(self, domain_id, parameters=(), with_servo=False, program=None):
        self._domain_id = domain_id
        self._context = rclpy.Context()
        rclpy.init(context=self._context, domain_id=domain_id)
        self.node = rclpy.create_node('controller_rig', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._profile = load_arm_profile('wx250s')
        self._joint_names = (*self._profile.joint_names, self._profile.gripper_joint)
        self._arm = TrajectoryPlayer(np.array(self._profile.start_joints_rad))
        self._kinematics, self.truth = self._profile.kinematics(), []
        self.twists, self.state, self.sequence = [], {}, 0
        self.joints_speak = self.perception_speaks = True
        self.estop = self.deadman = None  # what their topics say; None: they are silent
        self.is_button_held = True
        self._joints = topics.JOINT_STATES.publisher(self.node)
        self._heartbeat = topics.heartbeat_topic('perception_node').publisher(self.node)
        self._perception = topics.PERCEPTION_STATE.publisher(self.node)
        self._chunks = topics.ACTION_CHUNK.publisher(self.node)
        self._infos = topics.ACTION_INFO.publisher(self.node)
        self._estops = topics.ESTOP.publisher(self.node)
        self._deadmans = topics.DEADMAN.publisher(self.node)
        self._confirmations = topics.CONFIRMATION.publisher(self.node)
        topics.TWIST.subscribe(
            self.node, lambda m: self.twists.append((time.monotonic(), twist_from_message(m)))
        )
        topics.STATE.subscribe(self.node, lambda m: self.state.update(status_values(m)))
        if with_servo:
            topics.ARM_TRAJECTORY.subscribe(self.node, self._follow)
        else:
            self.node.create_service(
                ServoCommandType, topics.SWITCH_COMMAND_TYPE.name, self._accept_twists
            )
            self.node.create_service(SetBool, topics.PAUSE_SERVO.name, self._accept_pause)
            self._statuses = topics.SERVO_STATUS.publisher(self.node)
            self.node.create_timer(0.02, lambda: self._statuses.publish(ServoStatus()))
        self.node.create_timer(0.01, self._publish_joints)
        self.node.create_timer(0.05, self._publish_signs_of_life)
        self._requests = {
            name: self.node.create_client(Trigger, service.name)
            for name, service in topics.OPERATOR_SERVICES.items()
        }
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._spin)
        self._thread.start()
        self.processes = []
        self.process = self.start_node('controller_node', parameters, program)
        self.servo = self.start_node('servo_stand_in_node') if with_servo else None

    def start_node(self, name, parameters=(), program=None):
        """Another process of this domain; it is ended with the rig. ``program``: instead of it."""
        start = ['-m', f'magma_ros.nodes.{name}'] if program is None else ['-c', program]
        options = [word for parameter in parameters for word in ('-p', parameter)]
        process = subprocess.Popen(
            [sys.executable, *start, '--ros-args', *options],
            env=process_environment(self._domain_id),
        )
        self.processes.append(process)
        return process

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.send_signal(signal.SIGINT)
            process.wait(45)
        self._stopped.set()
        self._thread.join()
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)

    def wait_for(self, is_so, timeout_s=45.0):
        deadline_s = time.monotonic() + timeout_s
        while not is_so():
            assert time.monotonic() < deadline_s, f'not within {timeout_s} s; state {self.state}'
            time.sleep(0.01)

    def ask(self, request):
        client = self._requests[request]
        self.wait_for(client.service_is_ready)
        future = client.call_async(Trigger.Request())
        self.wait_for(future.done)
        return future.result().success

    def arm(self):
        """Armed and ready; again until the checks pass and a second was waited."""
        self.wait_for(self._is_armed)

    def _is_armed(self):
        assert self.process.poll() is None, 'the controller has ended'
        if self.state.get('mode') == 'disarmed':
            self.ask('arm')
        return self.state.get('mode') == 'ready'

    def begin_policy(self):
        self.arm()
        self.wait_for(lambda: self.ask('start'))  # once the nonce of READY has been confirmed
        self.wait_for(lambda: self.state.get('mode') == 'policy')

    def send_chunk(self, z_m=-0.03, **changes):
        """One picture's delta, as perception would send it."""
        self.sequence += 1
        delta = EndEffectorDelta(np.array([0.0, 0.0, z_m]), np.zeros(3), 1.0)
        values = {
            'deltas': (delta,),
            'step_s': 0.2,
            'image_stamp_ns': self.now_ns(),
            'reference': 'measured',
            'frame_id': self._profile.base_link,
            'sequence': self.sequence,
        }
        chunk = DeltaChunk(**{**values, **changes})
        stamp_ns = chunk.image_stamp_ns
        model = ModelIdentity('x', '0')
        info = ActionInfo(stamp_ns, chunk.sequence, chunk.source, chunk.reference, model, 0, 0)
        self._chunks.publish(chunk_to_message(chunk))
        self._infos.publish(info_to_message(info))

    def speed(self):
        """Largest part of the newest twist (m/s or rad/s)."""
        return _largest(self.twists[-1][1]) if self.twists else 0.0

    def now_ns(self):
        return self.node.get_clock().now().nanoseconds

    def _spin(self):
        while not self._stopped.is_set():
            self._executor.spin_once(0.05)

    def _accept_pause(self, request, response):
        response.success = True
        return response

    def _accept_twists(self, request, response):
        response.success = request.command_type == ServoCommandType.Request.TWIST
        return response

    def _follow(self, message):
        columns = trajectory_columns(message, self._profile.joint_names)
        now_s = time.monotonic()
        # Stamped ones begin at their stamp; 0 is now.
        stamp_ns = stamp_to_ns(message.header.stamp)
        start_s = now_s + (stamp_ns - self.now_ns()) * 1e-9 if stamp_ns else now_s
        points = [
            TrajectoryPoint(
                start_s + duration_to_s(point.time_from_start),
                np.array(point.positions)[columns],
                np.array(point.velocities)[columns],
            )
            for point in message.points
        ]
        self._arm.replace(points, now_s)

    def _publish_joints(self):
        now_s = time.monotonic()
        joints, speeds = self._arm.at(now_s)
        self.truth.append((now_s, *self._kinematics.forward(joints).translation_m))
        if self.joints_speak:
            positions = np.append(joints, self._profile.finger_open_m)
            # A perfect arm never changes; Servo waits for a change.
            speeds = np.append(speeds + 1e-6 * (len(self.truth) % 2), 0.0)
            message = joint_state_message(self._joint_names, positions, speeds, self.now_ns())
            self._joints.publish(message)

    def _publish_signs_of_life(self):
        if self.perception_speaks:
            self._heartbeat.publish(heartbeat_message('perception_node', self.now_ns()))
            self._perception.publish(status_message('perception', 'sees', {}))
        if self.estop is not None:
            self._estops.publish(Bool(data=self.estop))
        if self.deadman is not None:
            self._deadmans.publish(Bool(data=self.deadman))
        if self.is_button_held and 'nonce' in self.state:
            self._confirmations.publish(String(data=self.state['nonce']))


def _largest(twist):
    return max(abs(value) for value in (*twist.linear_m_s, *twist.angular_rad_s))
