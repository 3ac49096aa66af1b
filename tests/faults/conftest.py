"""The tiny experiment of `tests/runtime`, for tests of faults that show in a run."""

import importlib.util
from pathlib import Path

_PATH = Path(__file__).parents[1] / "runtime" / "conftest.py"
_SPEC = importlib.util.spec_from_file_location("tiny_experiment", _PATH)
assert _SPEC is not None and _SPEC.loader is not None
_MODULE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_MODULE)

vqa_root = _MODULE.vqa_root
tiny_spec = _MODULE.tiny_spec
run_script = _MODULE.run_script
