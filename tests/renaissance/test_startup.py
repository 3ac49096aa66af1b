"""What the light verbs import; the heavy libraries must not be among it."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import renaissance
from renaissance.files import find_spec
from renaissance.grammar.kinds.origins import kinds_in
from renaissance.grammar.kinds.registry import FAMILIES

HEAVY = {
    "PIL",
    "datasets",
    "jinja2",
    "lark",
    "numpy",
    "pandas",
    "pyarrow",
    "rich",
    "safetensors",
    "tensorboard",
    "timm",
    "tokenizers",
    "torch",
    "torchvision",
    "transformers",
}
SPEC = Path(find_spec("quickstart")).read_text(encoding="utf-8")


def loaded(code: str, folder: Path) -> set[str]:
    """Return the top-level modules that are loaded after running some code in a new process."""
    script = f"{code}\nimport sys\nprint('LOADED', *sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=folder, check=True
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("LOADED"))
    return {name.partition(".")[0] for name in line.split()[1:]} | set(line.split()[1:])


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "a.vl"],
        ["check", "--format", "json", "a.vl"],
        ["check", "--format", "sarif", "a.vl"],
        ["fmt", "--check", "a.vl"],
        ["show", "a.vl"],
        ["diff", "a.vl", "a.vl"],
        ["explain", "VL001"],
        ["explain", "adamw"],
        ["specs"],
        ["--help"],
        ["train", "--help"],
    ],
    ids=" ".join,
)
def test_light_verbs_load_no_heavy_library(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.vl").write_text(SPEC)
    modules = loaded(f"from renaissance.cli import main\nassert main({arguments!r}) == 0", tmp_path)
    assert modules & HEAVY == set()


@pytest.mark.parametrize("arguments", [["fmt", "a.vl"], ["explain"]], ids=" ".join)
def test_what_needs_no_schema_loads_no_pydantic(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.vl").write_text(SPEC)
    modules = loaded(f"from renaissance.cli import main\nassert main({arguments!r}) == 0", tmp_path)
    assert modules & (HEAVY | {"pydantic"}) == set()


def is_folder(module: str) -> bool:
    spec = importlib.util.find_spec(module)
    return spec is not None and spec.submodule_search_locations is not None


def test_a_check_imports_the_kinds_that_the_file_uses_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "a.vl").write_text(SPEC)
    modules = loaded(
        "from renaissance.cli import main\nassert main(['check', 'a.vl']) == 0", tmp_path
    )
    used = {type(kind).__module__ for kind in kinds_in(renaissance.load(tmp_path / "a.vl"))}
    homes = {schema.removesuffix(".schema") for schema in used}
    families = {family.package for family in FAMILIES.values()}
    found = {
        name
        for name in modules
        if name.rpartition(".")[2] == "schema"
        or (name.rpartition(".")[0] in families and is_folder(name))
    } - {"renaissance.grammar.schema"}
    # One schema may hand on what another one says: where the data of a task lie.
    shared = {"renaissance.runtime.tasks.easy_vqa", "renaissance.runtime.tasks.easy_vqa.schema"}
    # The default of a key counts where a job leaves it out.
    default = {f"{FAMILIES['schedule'].package}.{FAMILIES['schedule'].example}"}
    default |= {f"{package}.schema" for package in default}
    assert found <= used | homes | shared | default
    assert used <= found


def test_what_cannot_be_is_said_before_torch_is_imported(tmp_path: Path) -> None:
    (tmp_path / "a.vl").write_text(SPEC)
    (tmp_path / "empty").mkdir()
    (tmp_path / "run").mkdir()
    jobs = renaissance.load("quickstart")
    (tmp_path / "run" / "spec.json").write_text(jobs.to_json())
    (tmp_path / "t.csv").write_text("text,picture\nred?,a.png\n")
    wrong = [
        ["plan", "a.vl", "--gpu", "h1000"],
        ["plan", "a.vl", "--bench", "nowhere.json"],
        ["plan", "a.vl", "--model", "nobody"],
        ["plan", "a.vl", "--texts", "nothing=5"],
        ["train", "a.vl:nothing"],
        ["train", "a.vl", "--device", "tpu"],
        ["train", "a.vl", "-o", "t.csv"],
        ["eval", "a.vl", "--device", "cuda:x"],
        ["compile", "a.vl:nothing", "-o", "out"],
        ["compile", "a.vl", "-o", "t.csv"],
        ["compile", "--merged", "run:nothing", "-o", "out"],
        ["run", "empty"],
        ["predict", "nowhere", "t.csv"],
        ["predict", "empty", "t.csv"],
        ["predict", "run:nothing", "t.csv"],
        ["predict", "run:base", "t.csv"],
        ["predict", "run:vqa", "t.csv"],
        ["predict", "run:vqa", "nowhere.csv"],
        ["predict", "run:vqa", "t.csv", "--device", "tpu"],
        ["report", "nowhere"],
        ["report", "empty"],
        ["study", "studies/freezing_easy_vqa", "--gpu", "h1000"],
        ["study", "studies/freezing_easy_vqa", "--device", "tpu"],
    ]
    modules = loaded(
        "import sys\nfrom renaissance.cli import main\n"
        f"assert [case for case in {wrong!r} if main(case) not in (1, 2)] == []",
        tmp_path,
    )
    assert "torch" not in modules


def test_training_loads_datasets_only_where_it_reads_a_table(tmp_path: Path) -> None:
    modules = loaded("import renaissance.runtime.training.train", tmp_path)
    assert "torch" in modules and modules & {"datasets", "pandas"} == set()


def test_importing_the_package_loads_nothing_of_it(tmp_path: Path) -> None:
    modules = loaded("import renaissance", tmp_path)
    assert {name for name in modules if name.startswith("renaissance.")} == set()
    assert modules & HEAVY == set()


def test_loading_a_spec_imports_no_heavy_library(tmp_path: Path) -> None:
    code = "import renaissance as rn\nrn.SpecError\nrn.load"
    assert loaded(code, tmp_path) & HEAVY == set()


def test_the_language_server_imports_no_heavy_library(tmp_path: Path) -> None:
    pytest.importorskip("pygls", reason="the language server needs pygls")
    (tmp_path / "a.vl").write_text(Path(find_spec("freezing_small")).read_text("utf-8"))
    code = (
        "from renaissance.editor.server import build\n"
        "from renaissance.editor.findings import fixes\n"
        "from renaissance.editor.hints import hints\n"
        "from renaissance.editor.hover import hover\n"
        "server = build()\n"
        "analysis = server.documents.analysis('a.vl')\n"
        "from renaissance.editor.completion import completions\n"
        "from renaissance.editor.places import Columns\n"
        "assert list(hints(analysis, analysis.resolution.spec, Columns()))\n"
        "for offset in range(0, len(analysis.source.text), 7):\n"
        "    hover(analysis, offset, lambda: analysis.resolution.spec)\n"
        "    completions(server.documents, analysis, offset, Columns())\n"
    )
    assert loaded(code, tmp_path) & HEAVY == set()


def test_without_pygls_the_language_server_says_so_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from renaissance.cli import main

    monkeypatch.setitem(sys.modules, "pygls", None)
    assert main(["lsp"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "error: the language server needs pygls: pip install 'renaissance-vl[lsp]'\n"
    )
