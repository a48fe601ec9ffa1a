"""Nanoseconds and seconds to ROS stamps and durations, and back."""

from __future__ import annotations

from builtin_interfaces.msg import Duration, Time

NS_PER_S = 1_000_000_000


def stamp_from_ns(stamp_ns: int) -> Time:
    """Nanoseconds of the ROS clock -> Time."""
    seconds, nanoseconds = divmod(stamp_ns, NS_PER_S)
    return Time(sec=seconds, nanosec=nanoseconds)


def stamp_to_ns(stamp: Time) -> int:
    """Time -> nanoseconds of the ROS clock."""
    return stamp.sec * NS_PER_S + stamp.nanosec


def duration_from_s(duration_s: float) -> Duration:
    """Seconds -> Duration, rounded to nanoseconds."""
    seconds, nanoseconds = divmod(round(duration_s * NS_PER_S), NS_PER_S)
    return Duration(sec=seconds, nanosec=nanoseconds)


def duration_to_s(duration: Duration) -> float:
    """Duration -> seconds."""
    return duration.sec + duration.nanosec / NS_PER_S
