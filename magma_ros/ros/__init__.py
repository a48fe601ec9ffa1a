"""Between ROS messages and our types; with ``nodes/`` the only folder that knows rclpy."""
