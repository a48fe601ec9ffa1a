"""Thin ROS nodes: they fetch and deliver; what is computed is computed in the core."""
