"""Magma on a real arm: from a picture and a sentence to smooth, limited motion through MoveIt.

The folders in the order of the flow:

    image/   what the camera saw, checked and prepared exactly as the model expects it
    model/   picture + sentence -> action tokens, traces, answers
    motion/  deltas -> schedule -> smooth -> limited command
    robot/   what an arm is: profile, kinematics

Around it: ``ros/`` and ``nodes/`` (the only folders that know rclpy), ``sim/`` (a MuJoCo world
behind the same interfaces), ``training/`` and ``evaluation/``, and ``tools/`` (the ``magma``
command). Read ``pipeline.py`` first.
"""

__version__ = '0.1.0'
