"""The attention benchmark's shapes and counts, its smoke run, and its answer without a GPU."""

import json

import pytest
import torch

from benchmarks import attention
from benchmarks.attention_shapes import Shape, chosen_shapes, flops, shapes, tiny_shapes, traffic
from renaissance.compiler.kernels.availability import interpreting


def problem(**options):
    return Shape(
        name="x", query_lengths=(2, 3), key_lengths=(5, 7), heads=4, head_dim=16, **options
    )


def test_counts_no_padding():
    assert flops(problem(), "forward") == 4 * 4 * 16 * (2 * 5 + 3 * 7)
    assert flops(problem(), "forward+backward") == 3.5 * flops(problem(), "forward")
    assert flops(problem(both=True), "forward") == 2 * flops(problem(), "forward")


def test_each_tensor_is_read_or_written_once():
    one = 4 * 16 * 2  # bytes of a token
    assert traffic(problem(), "forward", 2) == one * (2 * 5 + 2 * 12)
    assert traffic(problem(), "forward+backward", 2) == one * (6 * 5 + 6 * 12)
    assert traffic(problem(both=True), "forward", 2) == 2 * traffic(problem(), "forward", 2)


def test_shapes_are_those_of_the_specs():
    found = shapes()
    assert {len(shape.query_lengths) for shape in found} == {32, 128, 512}
    assert {shape.head_dim for shape in found} == {32, 64}
    assert {shape.heads for shape in found} == {3, 4, 8, 12, 16}
    assert {max(shape.query_lengths) for shape in found if shape.dense} == {197, 577}
    ragged = [shape for shape in found if not shape.dense]
    assert all(8 <= n <= 50 for shape in ragged for n in shape.query_lengths)
    assert any(shape.both for shape in ragged)
    assert any(not shape.both for shape in ragged)
    assert len(chosen_shapes()) == 10
    assert {s.name for s in chosen_shapes()} <= {s.name for s in shapes((32, 256, 512))}


def test_shapes_by_a_word():
    options = attention.parser().parse_args(["--shape", "co-attention", "image 577"])
    names = [shape.name for shape in attention.chosen(options)]
    assert len(names) == 4 and all("co-att" in name or "577" in name for name in names)


def test_ranking():
    results = [
        {"contender": "triton", "milliseconds": 2.0, "eager milliseconds": 5.0, "tflops": 50.0},
        {"contender": "triton x", "milliseconds": 1.0, "eager milliseconds": 5.0, "tflops": 100.0},
        {"contender": "eager", "milliseconds": 3.0, "eager milliseconds": 4.0, "tflops": 33.0},
        {"contender": "flex", "reason": "no"},
    ]
    ours, other, *_ = attention.compare(results, 100.0)
    assert ours["times best other, milliseconds"] == 1.5
    assert ours["times best other, eager milliseconds"] == 0.8
    assert ours["share of ceiling"] == 0.5
    assert other["times best other, milliseconds"] == 3.0


def test_a_configuration(monkeypatch):
    monkeypatch.setattr(attention, "architecture", lambda _: "sm_90")
    monkeypatch.setattr(attention, "interpreting", lambda: False)
    other = attention.alternative("forward:block_m=64,registers=0; short_backward:warps=8")
    short = attention.tiny_shapes()[1]
    found = other.configurations(short, 0.0, "cuda", torch.bfloat16)
    assert found["forward"].block_m == 64 and found["forward"].registers is None
    assert found["forward"].stages == 3 and found["forward"].block_n == 64
    assert found["short_backward"].warps == 8 and found["short_backward"].block_m == 16


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("backward:warps=4", "`backward` is no kernel; kernels are forward, "),
        ("forward:threads=4", "fields are block_m, "),
        ("forward:warps=many", "no list of field=number"),
        ("forward", "no list of field=number"),
    ],
)
def test_no_configuration(text, message):
    with pytest.raises(ValueError, match=message):
        attention.alternative(text)


SETTINGS = attention.Settings(
    device="cpu",
    dtype=torch.float32,
    repeats=1,
    contenders=("sdpa math", "broken", "torch varlen", "eager"),
)


def test_a_contender_that_fails_leaves_the_others_their_turn(monkeypatch):
    def broken(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate too much")

    monkeypatch.setitem(attention.CONTENDERS, "broken", broken)
    found = list(attention.measure(tiny_shapes()[1], "forward+backward", 0.1, SETTINGS))
    assert [result.get("reason", "")[:18] for result in found] == [
        "",
        "CUDA out of memory",
        "it drops no weight",
        "",
    ]
    assert all(r["milliseconds"] > 0 for r in found if "reason" not in r)


def test_a_contender_that_differs_is_not_ranked(monkeypatch):
    monkeypatch.setattr(attention, "OURS", "eager")
    wrong = attention.CONTENDERS["sdpa math"]

    def other_values(shape, first, second, dropout):
        return wrong(shape, first, first, dropout)

    monkeypatch.setitem(attention.CONTENDERS, "sdpa math", other_values)
    settings = attention.Settings(
        device="cpu", dtype=torch.float32, repeats=1, contenders=("eager", "sdpa math")
    )
    shape = Shape(name="x", query_lengths=(3, 3), key_lengths=(3, 3), heads=1, head_dim=16)
    assert [r.get("reason") for r in attention.measure(shape, "forward", 0.0, settings)] == [
        None,
        None,
    ]
    crossed = Shape(name="x", query_lengths=(3, 4), key_lengths=(4, 3), heads=1, head_dim=16)
    reasons = [r.get("reason") for r in attention.measure(crossed, "forward", 0.0, settings)]
    assert reasons[0] is None and reasons[1]


def test_without_a_gpu(capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert attention.main([]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.skipif(
    not interpreting(),
    reason="TRITON_INTERPRET=1 is not set; kernels/test_interpreter.py sets it in a process",
)
def test_smoke_run_in_the_interpreter(tmp_path, capsys):
    path = tmp_path / "results.jsonl"
    options = ["--device", "cpu", "--tiny", "--repeats", "1", "--json", str(path)]
    options += ["--configuration", "short_forward:stages=2"]
    assert attention.main(options) == 0
    first, *results = [json.loads(line) for line in path.read_text().splitlines()]
    assert first["torch"] == torch.__version__
    assert len(results) == 2 * 2 * 2 * 4
    assert all("milliseconds" in result for result in results), results
    assert "x best other" in capsys.readouterr().out
