"""Reading a one-tower model changes nothing that another thread sees."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from renaissance.compiler.assembly import assemble
from renaissance.compiler.lowering.libraries.stacks import LoweredEncoderStack
from renaissance.compiler.model.readings import Reading
from tests.compiler.declarations import DEIT, ELECTRA, VIT, one_tower

STACKS = [
    ELECTRA.model_copy(update={"max_tokens": None}),
    VIT.model_copy(update={"image_size": None}),
    DEIT.model_copy(update={"image_size": None}),
]


@pytest.mark.parametrize("encoder", STACKS, ids=["electra", "vit", "timm"])
def test_readings_beside_plain_forwards(encoder: object) -> None:
    model = assemble(one_tower(encoder=encoder), None, weights=True).eval()
    stack = model.fusion.encoder
    assert isinstance(stack, LoweredEncoderStack) and stack.reads
    text = {"input_ids": torch.randint(2, 60, (2, 7)), "attention_mask": torch.ones(2, 7)}
    images = torch.randn(2, 3, 32, 32)
    last = stack.layers[-1]
    hooks = [len(part._forward_hooks) + len(part._forward_pre_hooks) for part in last.modules()]

    def forward() -> torch.Tensor:
        with torch.no_grad():
            return model(text=text, vision=images).pooled

    def read() -> torch.Tensor:
        with torch.no_grad():
            features = {
                "text": model.encode("text", text),
                "vision": model.encode("vision", images),
            }
            return model.read(features, [Reading(rows=2)])[0]

    wanted = forward()
    torch.testing.assert_close(read(), wanted)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda n: (read if n % 2 else forward)(), range(90)))
    for one in found:
        torch.testing.assert_close(one, wanted)
    assert hooks == [
        len(part._forward_hooks) + len(part._forward_pre_hooks) for part in last.modules()
    ]
