"""Bags of any origin as one stream of messages in the order of their arrival. No ROS."""
