"""Trace-of-Mark and Set-of-Mark labels from video: what moved where, in Magma's own words."""
