"""What goes wrong while a spec is compiled; every message is one clear sentence."""


class CompileError(Exception):
    """A spec that cannot be compiled."""


class BackboneError(CompileError):
    """A backbone that cannot be found, read or used for what the spec asks."""


class FreezeError(CompileError):
    """A freeze directive that selects nothing; the message says what there is."""


class InputError(CompileError, ValueError):
    """Inputs that a model cannot take; the message says what it takes."""


class ShapeError(InputError):
    """A tensor that a model cannot take."""
