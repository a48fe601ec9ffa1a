"""Checked steps as datasets of the field. One episode is worked on by one process."""
