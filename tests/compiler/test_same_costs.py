"""Jobs that cost the same are planned once, and are told apart where they do not."""

import pytest

from renaissance.compiler.planning.same_costs import same_costs
from renaissance.files import find_spec
from renaissance.grammar.loading import load


@pytest.mark.parametrize(
    ("name", "keys", "length", "same"),
    [
        ("dev", {"split": "test"}, True, True),
        ("dev", {"write": "dev.jsonl"}, True, True),
        ("dev", {"batch": 7}, True, False),
        ("base", {"seed": 7}, True, True),
        ("base", {"epochs": 7}, True, False),
        ("base", {"epochs": 7}, False, True),
        ("base", {"batch": 7}, False, False),
    ],
)
def test_what_costs_the_same(name: str, keys: dict[str, object], length: bool, same: bool) -> None:
    spec = load(find_spec("nlvr"))
    job = spec.jobs[name].model_copy(update=keys)
    other = spec.model_copy(update={"jobs": {**spec.jobs, name: job}})
    assert other != spec
    found = {same_costs(each, name, length=length) for each in (spec, other)}
    assert (len(found) == 1) is same
