"""Job folders: complete, readable, and nothing overwritten."""

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModel, BertConfig

from renaissance.compiler import compile
from renaissance.compiler.bundle import only_job
from renaissance.compiler.errors import CompileError
from renaissance.compiler.sources.huggingface.schema import HuggingFace
from renaissance.grammar import load
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.formats.image_caption.schema import ImageCaption
from tests.compiler.declarations import spec, two_towers


def _spec(**towers: object) -> Spec:
    declared = spec(two_towers(**towers))
    return declared.model_copy(update={"data": {"pairs": ImageCaption(table="data/pairs.csv")}})


def test_a_folder_holds_everything(tmp_path: Path) -> None:
    declared = _spec()
    folder = compile(declared, tmp_path / "job")
    assert Spec.model_validate_json((folder / "spec.json").read_text()) == declared
    assert load(folder / "spec.vl") == declared
    lock = json.loads((folder / "lock.json").read_text())
    assert lock["spec_hash"] == declared.hash
    assert lock["jobs"] == ["base", "vqa"]
    assert lock["packages"]["torch"] == torch.__version__.partition("+")[0]
    assert lock["data"]["pairs"] == {"table": str(Path("data/pairs.csv").absolute())}
    assert json.loads((folder / "plan.json").read_text())["models"][0]["name"] == "two"
    assert "`base`: pretrain" in (folder / "README.md").read_text()


def test_pretrained_backbones_are_locked(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=50,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
    )
    AutoModel.from_config(config).save_pretrained(tmp_path / "bert")
    text = HuggingFace(id=str(tmp_path / "bert"), max_tokens=8)
    folder = compile(_spec(text=text), tmp_path / "job")
    locked = json.loads((folder / "lock.json").read_text())["backbones"]["two"]["text"]
    assert locked["id"] == str(tmp_path / "bert")
    assert locked["revision"] is None
    assert len(locked["content"]) == 64


def test_one_job_takes_what_it_needs(tmp_path: Path) -> None:
    declared = _spec()
    assert list(only_job(declared, "vqa").jobs) == ["base", "vqa"]
    assert list(only_job(declared, "base").jobs) == ["base"]
    folder = compile(declared, tmp_path / "job", job="base")
    assert json.loads((folder / "lock.json").read_text())["jobs"] == ["base"]
    with pytest.raises(CompileError, match="there is no job `x`; jobs are `base`, `vqa`"):
        compile(declared, tmp_path / "other", job="x")


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    declared = _spec()
    folder = compile(declared, tmp_path / "job")
    compile(declared, folder)
    other = declared.model_copy(update={"jobs": {"base": declared.jobs["base"]}})
    with pytest.raises(CompileError, match="holds a job of another spec"):
        compile(other, folder)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("private")
    with pytest.raises(CompileError, match="is not empty and no job folder"):
        compile(declared, tmp_path / "mine")
    with pytest.raises(CompileError, match="is a file, not a folder"):
        compile(declared, tmp_path / "mine" / "diary.txt")
    with pytest.raises(CompileError, match="no job to compile"):
        compile(Spec(models=declared.models), tmp_path / "empty")
