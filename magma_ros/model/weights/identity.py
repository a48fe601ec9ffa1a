"""What makes one load of a model another than the next, beyond its files.

Two loads with the same identity give the same answers. The files come first: their checksum is
the identity of a model that is run as it is stored, with the action statistics its configuration
names. Whatever else is chosen (precision, quantisation, other statistics) is mixed in.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from magma_ros.model.action_model import ModelIdentity
from magma_ros.model.action_scaling import ActionStatistics, load_statistics, shipped_keys
from magma_ros.model.weights.checksum import combine_checksums


def mix_in(identity: ModelIdentity, what: str, choice: str) -> ModelIdentity:
    """The identity of the same model with something chosen otherwise than it is stored."""
    sha256 = combine_checksums([('model', identity.sha256), (what, choice)])
    return replace(identity, sha256=sha256)


def mix_in_statistics(
    identity: ModelIdentity, statistics: ActionStatistics, own: str | None
) -> ModelIdentity:
    """The identity of a model whose actions are decoded with these statistics.

    ``own`` is the key in the model's configuration. Where it is the key of shipped statistics,
    and they are the ones used, nothing is mixed in: the files have said so.
    """
    checksum = checksum_statistics(statistics)
    is_own = own == statistics.key and own in shipped_keys()
    if is_own and checksum == checksum_statistics(load_statistics(own)):
        return identity
    return mix_in(identity, 'statistics', checksum)


def checksum_statistics(statistics: ActionStatistics) -> str:
    """SHA-256 over key, ranges and mask."""
    ranges = (statistics.q01.tolist(), statistics.q99.tolist(), statistics.mask.tolist())
    return hashlib.sha256(json.dumps([statistics.key, *ranges]).encode()).hexdigest()
