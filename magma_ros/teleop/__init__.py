"""Driving by hand: devices in, the same action chunks out that a policy sends. No ROS in here."""
