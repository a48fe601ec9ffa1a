"""Episodes on disk: written so that nothing is lost, read so that nothing is believed. No ROS."""
