"""Writes numbered messages of mixed sizes and prints each number once it cannot be lost."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from messages import STRING, arrival

from magma_ros.dataset.episode_writer import EpisodeWriter


def write(folder: Path) -> None:
    writer = EpisodeWriter(folder)
    writer.add_topic(STRING)
    index = 0
    while True:
        writer.write(arrival(index, 200_000 if index % 17 == 0 else 400))
        os.write(1, b'%d\n' % index)
        index += 1


if __name__ == '__main__':
    # A copy for each line that asks for one: starting Python takes longer than being killed.
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            write(Path(line.strip()))
        os.write(2, b'%d\n' % process)
        os.waitpid(process, 0)
        os.write(1, b'killed\n')
