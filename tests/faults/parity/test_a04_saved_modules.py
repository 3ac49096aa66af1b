"""A saved module loads and runs in a process that has built nothing."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from renaissance.compiler.assembly import assemble
from renaissance.compiler.model import VisionLanguageModel
from tests.compiler.declarations import DEIT, ELECTRA, VIT, one_tower, two_towers

LOAD = """
import gc, sys
gc.disable()
import torch
model = torch.load(sys.argv[1], weights_only=False).eval()
text = {"input_ids": torch.ones(2, 5, dtype=torch.int64), "attention_mask": torch.ones(2, 5)}
with torch.no_grad():
    found = model(text=text, vision=torch.ones(2, 3, 32, 32)).pooled
torch.save(found, sys.argv[2])
"""


@pytest.mark.parametrize("name", ["towers", "stack", "timm"])
def test_in_another_process(name: str, tmp_path: Path) -> None:
    declared = {
        "towers": two_towers(text=ELECTRA, vision=VIT),
        "stack": one_tower(encoder=ELECTRA.model_copy(update={"max_tokens": None})),
        "timm": two_towers(vision=DEIT),
    }[name]
    model: VisionLanguageModel = assemble(declared, None, weights=True).eval()
    torch.save(model, tmp_path / "model.pt")
    subprocess.run(
        [sys.executable, "-c", LOAD, str(tmp_path / "model.pt"), str(tmp_path / "found.pt")],
        check=True,
    )
    text = {"input_ids": torch.ones(2, 5, dtype=torch.int64), "attention_mask": torch.ones(2, 5)}
    with torch.no_grad():
        wanted = model(text=text, vision=torch.ones(2, 3, 32, 32)).pooled
    torch.testing.assert_close(torch.load(tmp_path / "found.pt"), wanted)
