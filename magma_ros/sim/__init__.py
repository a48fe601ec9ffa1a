"""A MuJoCo table with a WidowX on it, behind the interfaces the hardware has. Ground truth stays in this folder."""
