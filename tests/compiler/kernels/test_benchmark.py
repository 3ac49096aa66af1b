"""The attention benchmark's shapes and counts, its smoke run, and its answer without a GPU."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest
import torch

from renaissance.compiler.kernels.availability import interpreting

PATH = Path(__file__).parents[3] / "benchmarks" / "attention.py"


@pytest.fixture(scope="module")
def benchmark():
    specification = importlib.util.spec_from_file_location("attention_benchmark", PATH)
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


def test_counts_no_padding(benchmark):
    shape = benchmark.Shape(
        name="x", query_lengths=(2, 3), key_lengths=(5, 7), heads=4, head_dim=16
    )
    assert benchmark.flops(shape, "forward") == 4 * 4 * 16 * (2 * 5 + 3 * 7)
    assert benchmark.flops(shape, "forward+backward") == 3.5 * benchmark.flops(shape, "forward")
    both = benchmark.Shape(
        name="x", query_lengths=(2, 3), key_lengths=(5, 7), heads=4, head_dim=16, both=True
    )
    assert benchmark.flops(both, "forward") == 2 * benchmark.flops(shape, "forward")


def test_shapes_are_those_of_the_specs(benchmark):
    shapes = benchmark.shapes()
    assert {len(shape.query_lengths) for shape in shapes} == {32, 128, 512}
    assert {shape.head_dim for shape in shapes} == {32, 64}
    assert {shape.heads for shape in shapes} == {3, 4, 8, 12, 16}
    assert {max(shape.query_lengths) for shape in shapes if shape.dense} == {197, 577}
    ragged = [shape for shape in shapes if not shape.dense]
    assert all(8 <= n <= 50 for shape in ragged for n in shape.query_lengths)
    assert any(shape.both for shape in ragged)
    assert any(not shape.both for shape in ragged)


def test_ranking(benchmark):
    results = [
        {"contender": "triton", "milliseconds": 2.0, "tflops": 50.0},
        {"contender": "eager", "milliseconds": 3.0, "tflops": 33.0},
        {"contender": "flex", "reason": "no"},
    ]
    ours = benchmark.compare(results, 100.0)[0]
    assert ours["times best other"] == 1.5
    assert ours["share of ceiling"] == 0.5


def test_without_a_gpu(benchmark, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert benchmark.main([]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_smoke_run_in_the_interpreter(benchmark, capsys, tmp_path):
    path = tmp_path / "results.json"
    options = ["--device", "cpu", "--tiny", "--repeats", "1", "--json", str(path)]
    if not interpreting():
        assert benchmark.main(options) == 2
        return
    assert benchmark.main(options) == 0
    report = json.loads(path.read_text())
    measured = [result for result in report["results"] if "milliseconds" in result]
    assert len(measured) == len(report["results"]) == 12
    assert report["torch"] == torch.__version__
    assert "x best other" in capsys.readouterr().out
