"""What an arm is: its profile and its kinematics. How we talk to it is in ``ros/``."""
