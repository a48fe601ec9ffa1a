"""A MuJoCo table with a WidowX on it, behind the interfaces the hardware has.

Ground truth stays with those who judge or teach; no policy sees it.
"""

import os

# MuJoCo reads it when it is imported; its default needs a screen.
os.environ.setdefault('MUJOCO_GL', 'egl')
