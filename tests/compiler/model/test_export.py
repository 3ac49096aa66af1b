"""Built models leave Python by `torch.export`, tracing and ONNX, rows and tokens left open."""

import io
import warnings
from typing import Any

import onnx
import onnxruntime
import pytest
import torch
from torch.export import Dim, export, load, save

from renaissance import build
from renaissance.compiler.model import VisionLanguageModel
from tests.compiler.declarations import DEIT, ELECTRA, VIT, one_tower, spec, two_towers

MODELS = {
    "plain towers": two_towers(),
    "library towers": two_towers(text=ELECTRA, vision=DEIT),
    "plain stack": one_tower(),
    "library stack": one_tower(encoder=VIT),
    "nothing lowered": two_towers(text=ELECTRA, vision=DEIT, lower="none"),
    "stack, nothing lowered": one_tower(lower="none"),
}
NAMES = ["pooled", "text", "vision"]


def built(name: str) -> VisionLanguageModel:
    return build(spec(MODELS[name])).eval()


def inputs(rows: int, tokens: int, padding: int = 0) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(rows)
    mask = torch.ones(rows, tokens, dtype=torch.int64)
    mask[-1, tokens - padding :] = 0
    ids = torch.randint(2, 60, (rows, tokens), generator=generator)
    return {
        "text": {"input_ids": ids, "attention_mask": mask},
        "vision": torch.randn(rows, 3, 32, 32, generator=generator),
    }


def tensors(model: VisionLanguageModel, given: dict[str, Any]) -> tuple[torch.Tensor, ...]:
    output = model(**given)
    return (output.pooled, *output.streams.values())


@pytest.mark.parametrize("name", MODELS)
def test_an_exported_program_checks_its_inputs_and_takes_other_sizes(name: str) -> None:
    model = built(name)
    rows, tokens = Dim("rows", max=64), Dim("tokens", max=12)
    text = {0: rows, 1: tokens}
    shapes = {"text": {"input_ids": text, "attention_mask": text}, "vision": {0: rows}}
    program = export(model, (), inputs(3, 5), dynamic_shapes=shapes)
    file = io.BytesIO()
    save(program, file)
    file.seek(0)
    run = load(file).module()
    for given in (inputs(4, 9, padding=3), inputs(2, 2), inputs(7, 12)):
        output, expected = run(**given), model(**given)
        torch.testing.assert_close(output.pooled, expected.pooled)
        torch.testing.assert_close(output.streams, expected.streams)
    with pytest.raises(AssertionError, match="Guard failed"):
        run(**inputs(2, 13))


@pytest.mark.parametrize("name", MODELS)
def test_a_traced_model_takes_other_sizes_by_the_names_of_streams(name: str) -> None:
    model = built(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(model, example_kwarg_inputs=inputs(3, 5))
    for given in (inputs(4, 9, padding=3), inputs(1, 2), inputs(7, 12)):
        for found, expected in zip(traced(**given), tensors(model, given), strict=True):
            torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", ["plain towers", "library towers", "plain stack"])
def test_onnx_takes_other_sizes(name: str) -> None:
    model = built(name)
    example, file = inputs(3, 5), io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            tuple(example.values()),
            file,
            dynamo=False,
            opset_version=17,
            input_names=["input_ids", "attention_mask", "pixels"],
            output_names=NAMES,
            dynamic_axes={
                "input_ids": {0: "rows", 1: "tokens"},
                "attention_mask": {0: "rows", 1: "tokens"},
                "pixels": {0: "rows"},
            },
        )
    onnx.checker.check_model(onnx.load_from_string(file.getvalue()))
    session = onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    for given in (inputs(4, 9, padding=3), inputs(1, 2), inputs(7, 12)):
        fed = {**given["text"], "pixels": given["vision"]}
        found = session.run(NAMES, {key: value.numpy() for key, value in fed.items()})
        for one, expected in zip(found, tensors(model, given), strict=True):
            torch.testing.assert_close(torch.from_numpy(one), expected, atol=1e-4, rtol=1e-4)
