"""What `import renaissance` offers."""

import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
import torch
from rich.console import Console

import renaissance as rn
from renaissance import compiler
from renaissance.cli import main
from renaissance.grammar.shipped import shipped_path


def test_every_name_can_be_imported() -> None:
    for name in rn.__all__:
        assert getattr(rn, name) is not None


def test_the_import_loads_no_torch() -> None:
    code = "import sys, renaissance; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_diff_compares_files_and_specs() -> None:
    path = shipped_path("quickstart")
    spec = rn.load(path)
    assert rn.diff(spec, path).blocks == ()
    assert rn.diff(path, shipped_path("nlvr")).blocks


def test_paths_texts_and_shipped_names_are_specs(tmp_path: Path) -> None:
    spec = rn.load("quickstart")
    (tmp_path / "q.vl").write_text(str(spec))
    assert rn.load(tmp_path / "q.vl") == rn.loads(str(spec)) == spec
    assert rn.loads(str(spec), {"base.batch": 8}).jobs["base"].batch == 8
    assert rn.load("models/vilt").models
    built = rn.build(tmp_path / "q.vl")
    assert built.name == "shapes" and rn.build("quickstart").name == "shapes"
    planned = rn.plan("quickstart", machine="h100")
    assert "H100" in str(planned) and repr(planned) == str(planned)
    with pytest.raises(rn.CompileError, match="no figures for a GPU `h1000`"):
        rn.plan("quickstart", machine="h1000")
    with pytest.raises(rn.SourceError, match="there is no file quickstrat"):
        rn.load("quickstrat")


def test_specs_and_differences_show_themselves(capsys: pytest.CaptureFixture[str]) -> None:
    spec = rn.load("quickstart")
    assert main(["show", "quickstart"]) == 0
    assert capsys.readouterr().out == str(spec)
    assert repr(spec).startswith("<Spec models: shapes; data: questions; jobs: base, vqa")
    differing = rn.diff("quickstart", "nlvr")
    assert main(["diff", "quickstart", "nlvr"]) == 0
    assert capsys.readouterr().out.startswith(str(differing))
    assert repr(differing) == str(differing)
    shown = rn.loads(str(spec).replace("layers     = 1", "layers = 2"))
    for value in (spec, differing, rn.plan(spec), shown):
        html = value._repr_html_()
        assert html.startswith("<pre>") and "<" not in html[5:-6]


def test_an_error_has_its_hints() -> None:
    with pytest.raises(rn.SpecError) as caught:
        rn.loads("pretrain a on m { }\n")
    assert str(caught.value).startswith("<text>:1:")
    assert "\n  help: " in str(caught.value)


def test_nothing_but_the_api_is_listed() -> None:
    assert dir(rn) == sorted(rn.__all__)


def test_a_model_says_what_its_streams_take() -> None:
    model = rn.build("quickstart")
    ids, pixels = torch.ones(2, 4, dtype=torch.long), torch.zeros(2, 3, 64, 64)
    given = {"input_ids": ids}
    assert torch.equal(
        model(text=given, vision={"pixel_values": pixels}).pooled,
        model(text=given, vision=pixels).pooled,
    )
    with pytest.raises(rn.InputError, match="takes what a tokenizer returns: a mapping of"):
        model(text=ids, vision=pixels)
    with pytest.raises(rn.InputError, match="reads `text` and `vision`; `vision` is missing"):
        model(text=given)
    with pytest.raises(rn.InputError, match="rows"):
        model(text=given, vision=torch.zeros(3, 3, 64, 64))


def test_an_unknown_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="nothing_here"):
        _ = rn.nothing_here


def test_a_plan_shows_itself() -> None:
    spec = rn.load(shipped_path("quickstart"))
    planned = rn.plan(spec, device="cpu")
    assert planned.to_dict() == compiler.plan(spec, device="cpu").to_dict()
    printed = StringIO()
    Console(width=200, no_color=True, file=printed).print(planned)
    shown = [line.rstrip() for line in printed.getvalue().splitlines()]
    assert shown == str(planned).splitlines()
    assert any(line.startswith("model ") for line in shown)
