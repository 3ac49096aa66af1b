"""The operators as torch sees them: opcheck, compile, export, fake tensors, clear errors."""

import os
import subprocess
import sys

import pytest
import torch
import torch._dynamo.testing
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from renaissance.compiler.kernels import (
    AttentionUnavailable,
    coattention,
    pair,
    reference,
    varlen,
    varlen_attention,
)
from renaissance.compiler.kernels.availability import interpreting

# opcheck reads .grad of tensors that are no leaves, of which torch 2.14 warns.
OPCHECK = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")


def packed(lengths, *, device="cpu", heads=2, head_dim=16, count=1, dtype=torch.float32):
    """`count` random packed tensors that want gradients, and their cumulative lengths."""
    shape = (sum(lengths), heads, head_dim)
    tensors = [
        torch.randn(shape, device=device, dtype=dtype, requires_grad=True) for _ in range(count)
    ]
    ends = torch.tensor([0, *lengths]).cumsum(0)
    return tensors, ends.to(device=device, dtype=torch.int32)


@OPCHECK
@pytest.mark.parametrize("options", ["plain", "bias and dropout"])
def test_opcheck(options, device):
    (query,), cu_query = packed([5, 1, 7], device=device)
    (key, value), cu_key = packed([3, 9, 1], device=device, count=2)
    bias = seed = None
    if options != "plain":
        bias = torch.randn(1, 2, 7, 9, device=device, requires_grad=True)
        seed = torch.tensor([3], device=device)
    dropout = 0.0 if seed is None else 0.1
    arguments = (query, key, value, cu_query, cu_key, bias, seed, 7, 9, 0.25, dropout)
    torch.library.opcheck(varlen._varlen, arguments)


@OPCHECK
def test_opcheck_of_the_backward(device):
    (query,), cu_query = packed([5, 1, 7], device=device)
    (key, value), cu_key = packed([3, 9, 1], device=device, count=2)
    query, key, value = (tensor.detach() for tensor in (query, key, value))
    bias = torch.randn(1, 2, 7, 9, device=device)
    streams, numbers = (cu_query, cu_key, bias), (7, 9, 0.25, 0.0)
    output, log_sum = varlen._varlen(query, key, value, *streams, None, *numbers)
    arguments = (output, query, key, value, output, log_sum, *streams, *numbers, True)
    torch.library.opcheck(varlen._varlen_backward, arguments)


@OPCHECK
def test_opcheck_of_coattention(device):
    a, cu_a = packed([5, 1, 7], device=device, count=3)
    b, cu_b = packed([3, 9, 1], device=device, count=3)
    seed = torch.tensor([3], device=device)
    torch.library.opcheck(pair._pair, (*a, *b, cu_a, cu_b, seed, 7, 9, 0.25, 0.1))


class Layer(nn.Module):
    """Self-attention and co-attention with their projections, as a fusion layer has them."""

    def __init__(self) -> None:
        super().__init__()
        self.projection = nn.Linear(32, 96)
        self.bias = nn.Parameter(torch.randn(2, 9, 9))

    def forward(self, text, image, cu_text, cu_image, max_text, max_image):
        query, key, value = self.projection(text).unflatten(-1, (3, 2, 16)).unbind(1)
        text = text + varlen_attention(
            query, key, value, cu_text, cu_text, max_text, max_text, dropout=0.1, seed=4
        ).flatten(1)
        streams = [
            tensor
            for stream in (text, image)
            for tensor in self.projection(stream).unflatten(-1, (3, 2, 16)).unbind(1)
        ]
        from_image, from_text = coattention(*streams, cu_text, cu_image, max_text, max_image)
        return from_image.flatten(1), from_text.flatten(1)


def layer_inputs(text, image, device="cpu"):
    cumulative = [torch.tensor([0, *n]).cumsum(0).to(device, torch.int32) for n in (text, image)]
    tokens = [torch.randn(sum(n), 32, device=device) for n in (text, image)]
    return *tokens, *cumulative, max(text), max(image)


def test_compiles_without_a_graph_break(device):
    """Three batches of different lengths, outputs and gradients equal to eager, few graphs."""
    torch.manual_seed(0)
    torch._dynamo.reset()
    graphs = torch._dynamo.testing.CompileCounterWithBackend("aot_eager")
    layer = Layer().to(device)
    compiled = torch.compile(layer, fullgraph=True, backend=graphs, dynamic=True)
    for lengths in (([5, 8], [7, 7]), ([3, 4, 9], [7, 6, 7]), ([2, 6], [9, 5])):
        inputs = layer_inputs(*lengths, device)
        gradients = []
        for module in (layer, compiled):
            layer.zero_grad()
            outputs = module(*inputs)
            sum(output.square().sum() for output in outputs).backward()
            gradients.append([*outputs, layer.projection.weight.grad.clone()])
        for actual, expected in zip(*gradients, strict=True):
            torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5)
    assert graphs.frame_count <= 2


def test_compiles_with_fake_tensors_alone():
    """Tracing runs no kernel, so it works where none runs."""
    torch._dynamo.reset()
    graphs = []

    def keep(graph, _):
        graphs.append(graph)
        return graph.forward

    compiled = torch.compile(Layer(), fullgraph=True, backend=keep)
    if interpreting():
        compiled(*layer_inputs([5, 9], [7, 7]))
    else:
        with pytest.raises(AttentionUnavailable, match="runs on a GPU"):
            compiled(*layer_inputs([5, 9], [7, 7]))
    calls = [str(node.target) for node in graphs[0].graph.nodes if node.op == "call_function"]
    assert any("varlen_attention" in call for call in calls)
    assert any("coattention" in call for call in calls)


def test_exports_with_dynamic_lengths():
    layer = Layer()
    inputs = layer_inputs([5, 9], [7, 7])
    dynamic = torch.export.Dim.AUTO
    shapes = ({0: dynamic}, {0: dynamic}, {0: dynamic}, {0: dynamic}, dynamic, dynamic)
    program = torch.export.export(layer, inputs, dynamic_shapes=shapes)
    calls = [str(node.target) for node in program.graph.nodes if node.op == "call_function"]
    assert "renaissance.varlen_attention.default" in calls
    assert "renaissance.coattention.default" in calls
    if interpreting():
        others = layer_inputs([3, 4, 8], [7, 7, 9])
        actual, expected = program.module()(*others), layer(*others)
        torch.testing.assert_close(actual, expected)


def test_fake_results_look_like_real_ones(device):
    """Shapes, dtypes and strides of fake and real outputs and gradients agree."""
    shape = (14, 3, 2, 16)

    def step(device):
        fused = torch.randn(shape, device=device, dtype=torch.float16, requires_grad=True)
        ends = torch.arange(0, 15, 7, device=device, dtype=torch.int32)
        bias = torch.randn(2, 7, 7, device=device, requires_grad=True)
        output = varlen_attention(*fused.unbind(1), ends, ends, 7, 7, bias=bias)
        gradients = torch.autograd.grad(output.sum(), (fused, bias))
        return [(t.shape, t.dtype, t.stride(), t.device.type) for t in (output, *gradients)]

    real = step(device)
    with FakeTensorMode():
        assert step(device) == real


def test_no_gradient_asked_none_computed(device, monkeypatch):
    """The bias gradient costs a kernel, which a frozen bias does not launch."""
    from renaissance.compiler.kernels import launch

    launches = []
    original = launch._bias_gradient
    monkeypatch.setattr(
        launch, "_bias_gradient", lambda *args: launches.append(1) or original(*args)
    )
    (query,), ends = packed([5, 3], device=device)
    for wanted in (False, True):
        bias = torch.zeros(2, 5, 5, device=device, requires_grad=wanted)
        varlen_attention(query, query, query, ends, ends, 5, 5, bias=bias).sum().backward()
        assert len(launches) == int(wanted)


@pytest.mark.parametrize("sequences", [0, 2])
def test_no_tokens(sequences, device):
    (tokens,), ends = packed([0] * sequences, device=device)
    output = varlen_attention(tokens, tokens, tokens, ends, ends, 0, 0)
    output.sum().backward()
    assert output.shape == tokens.grad.shape == (0, 2, 16)


def test_queries_without_any_key(device):
    (query,), cu_query = packed([5, 3], device=device)
    (key, value), cu_key = packed([0, 0], device=device, count=2)
    output = varlen_attention(query, key, value, cu_query, cu_key, 5, 0)
    output.sum().backward()
    assert (output == 0).all()
    assert (query.grad == 0).all()


ERRORS = {
    "two axes": (lambda a: a | {"query": a["query"][:, 0]}, r"query must be \[tokens"),
    "other dtype": (lambda a: a | {"key": a["key"].half()}, "key is torch.float16 and query"),
    "other width": (lambda a: a | {"value": a["value"][..., :8]}, "value has heads and width"),
    "other heads": (lambda a: a | {"key": a["key"][:, :1]}, "key has heads and width"),
    "fewer values": (lambda a: a | {"value": a["value"][1:]}, "8 keys do not go with 7 values"),
    "int64 lengths": (lambda a: a | {"cu_key": a["cu_key"].long()}, "cu_key must hold int32"),
    "fewer sequences": (lambda a: a | {"cu_key": a["cu_key"][1:]}, "2 query sequences do not go"),
    "negative scale": (lambda a: a | {"scale": -1.0}, "scale must be positive"),
    "infinite scale": (lambda a: a | {"scale": float("inf")}, "scale must be positive"),
    "all dropped": (lambda a: a | {"dropout": 1.0}, "dropout must be at least 0"),
    "float seed": (
        lambda a: a | {"dropout": 0.5, "seed": torch.tensor([1.0])},
        "dropout needs a seed",
    ),
    "narrow bias": (lambda a: a | {"bias": torch.zeros(2, 5, 4)}, "bias ends in"),
    "flat bias": (lambda a: a | {"bias": torch.zeros(5, 5)}, "bias must be"),
    "integer bias": (
        lambda a: a | {"bias": torch.zeros(2, 5, 5, dtype=torch.int32)},
        "bias must be floating point",
    ),
    "other device": (lambda a: a | {"value": a["value"].to("meta")}, "value is on meta"),
}


@pytest.mark.parametrize("mistake", ERRORS)
@pytest.mark.parametrize("fake", [False, True], ids=["real", "fake"])
def test_mistakes_have_one_sentence(mistake, fake):
    """The same sentence from real and from fake tensors, before anything is launched."""
    if fake and mistake == "other device":
        pytest.skip("fake tensors of two devices are refused by torch itself")

    def call():
        (query, key, value), ends = packed([5, 3], count=3)
        names = ("query", "key", "value", "cu_query", "cu_key", "max_query", "max_key")
        arguments = dict(zip(names, (query, key, value, ends, ends, 5, 5), strict=True))
        with torch.no_grad():
            varlen_attention(**ERRORS[mistake][0](arguments))

    with pytest.raises(ValueError, match=ERRORS[mistake][1]) as raised:
        if fake:
            with FakeTensorMode():
                call()
        else:
            call()
    assert "\n" not in str(raised.value)


def test_float64_and_odd_heads_are_refused(device):
    for dtype, head_dim, message in (
        (torch.float64, 16, "not float64"),
        (torch.float32, 136, "not 136"),
        (torch.float32, 20, "not 20"),
        (torch.float32, 8, "not 8"),
    ):
        (tokens,), ends = packed([5, 3], device=device, dtype=dtype, head_dim=head_dim)
        with pytest.raises(AttentionUnavailable, match=message):
            varlen_attention(tokens, tokens, tokens, ends, ends, 5, 5)


def test_cpu_without_the_interpreter_is_refused():
    if interpreting():
        pytest.skip("this process interprets kernels")
    (tokens,), ends = packed([5, 3])
    with pytest.raises(AttentionUnavailable, match="runs on a GPU, not on `cpu`"):
        varlen_attention(tokens, tokens, tokens, ends, ends, 5, 5)


def test_import_leaves_triton_alone():
    """Choosing and explaining kernels needs no Triton, which not every machine has."""
    script = (
        "import sys, torch; sys.modules['triton'] = None\n"
        "import renaissance.compiler.kernels as kernels\n"
        "print(kernels.supported('cpu', torch.float32, 64))"
    )
    environment = {key: value for key, value in os.environ.items() if key != "TRITON_INTERPRET"}
    run = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "Triton, which is not installed" in run.stdout


def test_reference_signature_is_the_operator_signature():
    import inspect

    for function in (varlen_attention, coattention):
        plain = getattr(reference, function.__name__)
        assert inspect.signature(function) == inspect.signature(plain)
