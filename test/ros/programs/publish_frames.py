"""Publish 640x480 pictures at 30 Hz, best effort, until killed: ``publish_frames.py``."""

import array

import rclpy
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

rclpy.init()
node = rclpy.create_node('frame_publisher')
publisher = node.create_publisher(Image, 'frames', qos_profile_sensor_data)
message = Image(height=480, width=640, encoding='rgb8', step=640 * 3)
pixels = array.array('B', bytes(480 * 640 * 3))
sent = 0


def publish():
    global sent
    if publisher.get_subscription_count() == 0:
        return
    sent += 1
    pixels[0] = sent % 256
    message.data = pixels
    message.header.stamp.nanosec = sent
    publisher.publish(message)


node.create_timer(1 / 30, publish)
while rclpy.ok():
    rclpy.spin_once(node, timeout_sec=1.0)
