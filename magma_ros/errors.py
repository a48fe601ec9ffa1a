"""Everything a user can do something about is a MagmaError whose text names the next step.

    MagmaError
      ConfigurationError   a file, parameter or name is wrong: fix it and start again
      ModelError           checkpoint missing, damaged or of another kind
      InstructionError     the sentence cannot be used
      CameraError          no picture, or not one that can be used
      ArmError             the arm or its driver is not as the profile says
      RecordingError       a recording cannot be written, or a bag cannot be read
        DiskError          its disk is full, read-only or gone
      EnvironmentMissing   a program, library or device is missing on this machine

Errors of our own (broken invariants) stay ValueError, AssertionError and their kin: those are
bugs, not advice.
"""


class MagmaError(Exception):
    """Base of all errors that name a next step; shown to users without a traceback."""


class ConfigurationError(MagmaError):
    """A file, parameter or name is wrong."""


class ModelError(MagmaError):
    """The checkpoint is missing, damaged, or does not fit."""


class InstructionError(MagmaError):
    """The sentence is empty, too long, or asks for something that is not there."""


class CameraError(MagmaError):
    """There is no picture, or not one that can be used."""


class ArmError(MagmaError):
    """The arm or its driver is not as the arm profile says."""


class RecordingError(MagmaError):
    """A recording cannot be written, or a bag cannot be read; names the file."""


class DiskError(RecordingError):
    """The disk of a recording is full, read-only or gone."""


class EnvironmentMissing(MagmaError):  # noqa: N818 (it names what is wrong, as a whole)
    """A program, library or device is missing on this machine."""
