"""Reading pickles of plain values and NumPy arrays, and nothing else: no code of them is run."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from renaissance.runtime.data.errors import DataError

_RECONSTRUCT = np.empty(0).__reduce__()[0]


def _encoded(text: str, encoding: str = "latin1") -> bytes:
    """Return bytes that Python 3 pickles as a text for Python 2."""
    return text.encode("latin1")


_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("_codecs", "encode"): _encoded,
}
"""What a pickle may name, by module and name."""


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        found = _ALLOWED.get((module, name))
        if found is None:
            raise pickle.UnpicklingError(f"it asks for `{module}.{name}`, which is not read")
        return found


def read_pickle(path: Path) -> Any:
    """Return what a pickle of Python 2 or 3 holds; texts of Python 2 are read as Latin-1.

    Raises:
        DataError: if it is missing, damaged, or holds more than values and arrays.
    """
    try:
        with path.open("rb") as file:
            return _Reader(file, encoding="latin1").load()
    except OSError as problem:
        raise DataError(f"`{path}` cannot be read: {problem.strerror}") from None
    # Damaged pickles raise whatever their reading stumbles over.
    except Exception as problem:
        reason = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        raise DataError(f"`{path}` is no pickle of values and arrays: {reason}") from None
