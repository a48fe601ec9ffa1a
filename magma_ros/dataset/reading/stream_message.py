"""One message of any bag, with where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class StreamMessage:
    """Undecoded CDR and what is needed to decode it, or to complain about it."""

    topic: str
    type_name: str
    log_ns: int  # when it arrived
    data: bytes
    file: Path
    offset: int  # first byte of its record (of its chunk, where it is in one); a row of sqlite3

    @property
    def where(self) -> str:
        """For error messages."""
        unit = 'row' if '.db3' in self.file.name else 'byte'
        return f'{self.file}, {unit} {self.offset}'
