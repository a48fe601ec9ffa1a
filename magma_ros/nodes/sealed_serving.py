"""What a blinded session serves: read from a file that is sealed, and never published."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from magma_ros.errors import ConfigurationError
from magma_ros.model.action_model import ModelIdentity
from magma_ros.nodes.perception_setup import PerceptionParameters
from magma_ros.nodes.prediction_loop import Prediction
from magma_ros.ros.status_messages import status_values
from magma_ros.yaml_tables import check_keys

SERVING = ('model', 'statistics', 'mode', 'precision', 'device', 'threads')
ABOUT = ('code', 'model_sha256', 'salt')
# Of a status; memory and times of a model, and its words, tell models apart.
HARMLESS = ('reason', 'warnings', 'worker')


@dataclass(frozen=True)
class Serving:
    """The parameters that count, and what others may know of them."""

    parameters: PerceptionParameters
    code: str = ''  # stands for all that is hidden; empty: nothing is
    model_sha256: str = ''  # that the model must have; empty: any
    checksum: str = ''  # of the sealed file: as the model's, another one is another condition

    def is_expected(self, identity: ModelIdentity) -> bool:
        """Whether this is the model the session was made with."""
        return self.model_sha256 in ('', identity.sha256)

    def seal(
        self, prediction: Prediction, identity: ModelIdentity
    ) -> tuple[Prediction, ModelIdentity]:
        """A prediction as others may see it: only some models draw traces."""
        if not self.code:
            return prediction, identity
        plain = replace(prediction, traces=[], path=None)
        return plain, ModelIdentity(self.code, self.checksum)

    def seal_text(self, text: str) -> str:
        """Words about the model as others may read them; the last ones lie in a sealed file."""
        if not self.code:
            return text
        path = Path(self.parameters.sealed_file).with_suffix('.said.txt')
        path.write_text(f'{text}\n', encoding='utf-8')
        return f'what condition {self.code} says is in {path}'

    def seal_status(self, status: DiagnosticStatus) -> DiagnosticStatus:
        """A status as others may read it."""
        if not self.code:
            return status
        values = status_values(status)
        reason = values.get('reason', '')
        if status.level != DiagnosticStatus.OK and (not reason or reason.startswith('MODEL')):
            status.message = reason or 'no usable answer'  # the model's own words may name it
        status.values = [pair for pair in status.values if pair.key in HARMLESS]
        known = {'mode': 'sealed'}
        if 'model' in values:
            known |= {'model': self.code, 'model_sha256': self.checksum}
        status.values += [KeyValue(key=key, value=value) for key, value in known.items()]
        return status


def settle_serving(wanted: PerceptionParameters) -> Serving:
    """The parameters themselves, or those of their sealed file in their place.

    Raises:
        ConfigurationError: the file is not there, or not one of a session.
    """
    if not wanted.sealed_file:
        return Serving(wanted)
    path = Path(wanted.sealed_file)
    try:
        content = path.read_bytes()
        values = json.loads(content)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f'sealed_file {path} cannot be read: {error}') from error
    check_keys(values, (*ABOUT, *SERVING), str(path), required=ABOUT)
    given = {name: values[name] for name in SERVING if name in values}
    checksum = hashlib.sha256(content).hexdigest()
    return Serving(replace(wanted, **given), values['code'], values['model_sha256'], checksum)


def write_sealed_serving(
    path: Path, code: str, model_sha256: str, serving: Mapping[str, Any]
) -> None:
    """A file for the parameter ``sealed_file``; ``serving`` has names of SERVING.

    Its checksum is published, therefore it holds a salt: else it could be found by trying.
    """
    salt = secrets.token_hex(16)
    values = {'code': code, 'model_sha256': model_sha256, 'salt': salt, **serving}
    path.touch(0o600)
    path.write_text(json.dumps(values) + '\n', encoding='utf-8')
