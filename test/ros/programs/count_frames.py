"""Receive pictures until the 60th was sent, and print how many arrived: ``count_frames.py``."""

import sys

import rclpy
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

FRAMES = 60

rclpy.init()
node = rclpy.create_node('frame_counter')
numbers = []


def receive(message):
    assert len(message.data) == 640 * 480 * 3
    assert message.data[0] == message.header.stamp.nanosec % 256
    numbers.append(message.header.stamp.nanosec)


node.create_subscription(Image, 'frames', receive, qos_profile_sensor_data)
deadline = node.get_clock().now().nanoseconds + 8_000_000_000
while (not numbers or numbers[-1] < FRAMES) and node.get_clock().now().nanoseconds < deadline:
    rclpy.spin_once(node, timeout_sec=0.1)
sent = numbers[-1] - numbers[0] + 1 if numbers else 0
sys.stdout.write(f'{len(numbers)} of {sent}\n')
node.destroy_node()
rclpy.shutdown()
