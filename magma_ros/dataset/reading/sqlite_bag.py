"""The messages of a sqlite3 bag (rosbag2 ``storage_default_plugins``: topics, messages)."""

from __future__ import annotations

import sqlite3
from collections.abc import Container, Iterator
from pathlib import Path
from urllib.parse import quote

from magma_ros.dataset.reading.stream_message import StreamMessage
from magma_ros.errors import RecordingError

MOST_TOPICS = 4096


def read_sqlite(path: Path, topics: Container[str] | None) -> Iterator[StreamMessage]:
    """Messages of the wanted topics in the order of their arrival; None: of all.

    The ``offset`` of a message is its row, for the pages of a database have no order.

    Raises:
        RecordingError: it is damaged or none of rosbag2; names file and row.
    """
    row = 0
    try:
        connection = sqlite3.connect(f'file:{quote(str(path))}?mode=ro&immutable=1', uri=True)
        try:
            connection.execute('PRAGMA trusted_schema = OFF')
            kinds = _topics(connection, path)
            numbers = [
                number for number, (name, _) in kinds.items() if topics is None or name in topics
            ]
            marks = ','.join('?' * len(numbers))
            query = 'SELECT id, topic_id, timestamp, data FROM messages '
            query += f'WHERE topic_id IN ({marks}) ORDER BY {_order(connection)}'
            for row, number, log_ns, data in connection.execute(query, numbers):
                if not isinstance(data, bytes) or not isinstance(log_ns, int) or log_ns < 0:
                    raise RecordingError(f'{path}, row {row}: no message of rosbag2')
                name, kind = kinds[number]
                yield StreamMessage(name, kind, log_ns, data, path, row)
        finally:
            connection.close()
    except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
        raise RecordingError(
            f'{path}, after row {row}: damaged, or no bag ({error}); sqlite3 FILE .recover reads '
            'what is left of it'
        ) from error


def _topics(connection: sqlite3.Connection, path: Path) -> dict[int, tuple[str, str]]:
    tables = dict(connection.execute('SELECT name, type FROM sqlite_master'))
    if tables.get('topics') != 'table' or tables.get('messages') != 'table':
        raise RecordingError(f'{path}: a database, but no bag: it lacks topics or messages')
    query = f'SELECT id, name, type, serialization_format FROM topics LIMIT {MOST_TOPICS + 1}'
    found = {}
    for number, name, kind, encoding in connection.execute(query):
        if not isinstance(name, str) or not isinstance(kind, str) or encoding != 'cdr':
            raise RecordingError(f'{path}: topic {str(name)[:60]!r} is not in CDR; do not use it')
        found[number] = (name, kind)
    if len(found) > MOST_TOPICS:
        raise RecordingError(f'{path}: more than {MOST_TOPICS} topics; no recording of a robot')
    return found


def _order(connection: sqlite3.Connection) -> str:
    """By time where an index makes that cheap; else as written, which is nearly the same."""
    for _, index, *_ in connection.execute('PRAGMA index_list(messages)').fetchall():
        columns = connection.execute('SELECT name FROM pragma_index_info(?)', (index,)).fetchall()
        if columns and columns[0][0] == 'timestamp':
            return 'timestamp, id'
    return 'id'
