"""Which messages of an MCAP file are read, and which are only counted."""

from __future__ import annotations

from collections.abc import Container

from mcap.records import Channel


class ChosenChannels:
    """Learns the channels of the wanted topics as they are described in the file.

    Args:
        with_data: whether any data is read.
        topics: only of these; None: of all.
    """

    def __init__(self, with_data: bool, topics: Container[str] | None) -> None:
        self._with_data, self._topics = with_data, topics
        self._numbers: set[int] = set()

    def note(self, channel: Channel) -> Channel:
        """Take note of a channel; the same channel."""
        if self._topics is not None and channel.topic in self._topics:
            self._numbers.add(channel.id)
        return channel

    def has(self, head: bytes | memoryview) -> bool:
        """Whether the data of a message record that begins so is read."""
        if self._topics is None or not self._with_data:
            return self._with_data
        return int.from_bytes(head[:2], 'little') in self._numbers
