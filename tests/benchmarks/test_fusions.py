"""The comparison of fusions runs, each beside the plain step that it is compared with."""

from argparse import Namespace

import pytest

from benchmarks import fusions
from benchmarks.plain_fusions import PLAIN
from renaissance.grammar.kinds.fusion import FusionBlock
from renaissance.grammar.kinds.registry import Kinds


def test_every_fusion_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    words = list(Kinds(FusionBlock))
    monkeypatch.setattr(fusions, "grown_in_process", lambda word, options, freeze: 10**6)
    options = Namespace(size="tiny", fusions=words, batch=4, rounds=1)
    costs = fusions.compare(options, "both")
    assert [cost.fusion for cost in costs] == words
    for cost in costs:
        assert 0 < cost.fusion_parameters < cost.parameters
        assert 0 < cost.fusion_operations <= cost.operations
        assert (cost.plain_seconds is None) == (cost.fusion not in PLAIN)
        assert cost.seconds > 0 and cost.over_floor > 0
    head, *lines = fusions.table(costs).splitlines()
    assert len(head.split()) > 10 and [line.split()[0] for line in lines] == words
