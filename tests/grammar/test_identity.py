"""The hash of a spec, and of what a version with fewer keys stated of it."""

from importlib.resources import files

import pytest

from renaissance import load
from renaissance.grammar.schema.spec import Spec

SPECS = sorted(
    entry.name for entry in files("renaissance.specs").iterdir() if entry.name.endswith(".vl")
)


@pytest.mark.parametrize("name", SPECS)
def test_a_resolved_spec_states_every_key(name: str) -> None:
    spec = load(str(files("renaissance.specs") / name))
    read = Spec.model_validate_json(spec.to_json())
    assert read.hash == read.stated_hash == spec.hash
    # Read from a file of the language, it has values that only defaults give.
    assert spec.stated_hash != spec.hash
