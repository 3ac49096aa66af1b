"""Models built in threads are those that are built alone; proofs count their own calls only."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
import torch

from renaissance.compiler import build
from renaissance.compiler.lowering.libraries import proof
from tests.compiler.declarations import DEIT, ELECTRA, spec, two_towers


def test_weights_and_proofs_are_those_of_a_model_built_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    declared = spec(two_towers(text=ELECTRA, vision=DEIT))
    alone = build(declared)
    monkeypatch.setattr(proof, "_proved", set())
    state = torch.get_rng_state()
    with ThreadPoolExecutor(3) as pool:
        models = list(pool.map(lambda _: build(declared), range(3)))
    assert torch.equal(torch.get_rng_state(), state)
    for model in models:
        assert model.towers["text"].facts == alone.towers["text"].facts
        assert model.towers["text"].facts.packs
        for name, tensor in model.state_dict().items():
            assert torch.equal(tensor, alone.state_dict()[name]), name


def test_a_model_that_runs_meanwhile_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    declared = spec(two_towers(text=ELECTRA))
    running = build(declared).eval()
    monkeypatch.setattr(proof, "_proved", set())
    text = {"input_ids": torch.ones(1, 5, dtype=torch.int64), "attention_mask": torch.ones(1, 5)}
    started, done = Event(), Event()

    def run() -> None:
        with torch.no_grad():
            while not done.is_set():
                running.encode("text", text)
                started.set()

    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(run)
        started.wait(60)
        try:
            for _ in range(3):
                monkeypatch.setattr(proof, "_proved", set())
                assert build(declared).towers["text"].facts.packs
        finally:
            done.set()
        busy.result()
