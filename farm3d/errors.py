"""The errors that a user can cause or meet; a command prints each as one line and exits with code 2."""


class Farm3DError(Exception):
    """Base of every error with a message meant for the user: what is wrong, where, and what to do."""


class ConfigError(Farm3DError):
    """A configuration, an option or a combination of them that cannot be used."""


class InputError(Farm3DError):
    """An image, mesh, folder or other input that cannot be used, or an output that cannot be written."""


class CheckpointError(Farm3DError):
    """A checkpoint that is missing, foreign, damaged or does not fit the model."""


class MissingDependencyError(Farm3DError):
    """An optional library or weights file that is not installed; the message says how to get it."""


class BackendError(Farm3DError):
    """No rasteriser backend can serve the request; the message lists each one and why."""


class TrainingError(Farm3DError):
    """Training that cannot go on: a non-finite loss, an empty surface, data that do not fit."""


class NonFiniteError(TrainingError):
    """A step's loss or its gradient is not a finite number."""


class EmptyShapeError(TrainingError):
    """A category's signed distance that is nowhere zero: there is no surface to draw."""
