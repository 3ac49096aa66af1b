"""The extension for VS Code: what it consists of, and its client against the real server."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest

FOLDER = Path(__file__).parents[3] / "editors/vscode"
SPACE = "{http://schemas.microsoft.com/developer/vsx-schema/2011}"
WINDOW = Path(__file__).parent / "window.js"
SPEC = """model towers {
  backbone text = huggingface("bert-base-uncased") { max_tokens=40 }
  backbone vision = timm("deit_tiny_patch16_224") { image_size = 224 }
  fusion cross = cross_attention(text, vision)
}
data pairs { format = image_caption, table = "𝄞", rot = "y" }
"""


def shown(folder: Path, *command: str) -> dict[str, Any]:
    """What the extension shows of `spec.vl`, with a command for the server."""
    done = subprocess.run(
        ["node", WINDOW, FOLDER, folder, "spec.vl", *command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


@pytest.fixture
def script() -> ModuleType:
    spec = spec_from_file_location("build_vsix", FOLDER / "build.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_vsix_holds_what_its_manifests_name(script: ModuleType, tmp_path: Path) -> None:
    path = script.build(tmp_path)
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        package = json.loads(archive.read("extension/package.json"))
        manifest = ElementTree.fromstring(archive.read("extension.vsixmanifest"))
        types = ElementTree.fromstring(archive.read("[Content_Types].xml"))
        scripts = [archive.read(name) for name in archive.namelist() if name.endswith(".js")]
    assets = {asset.attrib["Path"] for asset in manifest.iter(f"{SPACE}Asset")}
    assert assets == {
        "extension/package.json",
        "extension/README.md",
        "extension/LICENSE.txt",
        "extension/icon.png",
    }
    assert assets <= names
    identity = next(manifest.iter(f"{SPACE}Identity")).attrib
    assert identity["Id"] == package["name"] and identity["Version"] == package["version"]
    contributed = package["contributes"]
    named = [package["main"], package["icon"], *(one["path"] for one in contributed["grammars"])]
    named += [one["configuration"] for one in contributed["languages"]]
    assert {f"extension/{Path(name).as_posix()}" for name in named} <= names
    required = re.findall(rb'require\("\./(\w+)"\)', b"".join(scripts))
    assert {f"extension/{name.decode()}.js" for name in required} <= names
    endings = {one.attrib["Extension"] for one in types}
    assert {Path(name).suffix for name in names if name.startswith("extension")} <= endings


def test_the_same_files_give_the_same_bytes(script: ModuleType, tmp_path: Path) -> None:
    first = script.build(tmp_path).read_bytes()
    assert script.build(tmp_path).read_bytes() == first


def test_its_version_is_that_of_the_package() -> None:
    from renaissance import __version__

    package = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
    assert package["version"] == __version__


needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node")


@needs_node
def test_the_extension_shows_what_the_server_says(tmp_path: Path) -> None:
    pytest.importorskip("pygls", reason="the language server needs pygls")
    (tmp_path / "spec.vl").write_text(SPEC)
    found = shown(tmp_path, sys.executable, "-m", "renaissance", "lsp")
    assert found["messages"] == []
    [wrong] = [one for one in found["findings"] if one["code"] == "VL401"]
    assert wrong["range"] == line(5, 51, 54) and wrong["source"] == "renaissance"
    assert "max_tokens" in found["hover"]["contents"]["value"]
    assert "image_size" in found["completion"]
    assert found["definition"]["range"] == found["named"] == line(0, 6, 12)
    assert [one["range"] for one in found["references"]] == [line(0, 6, 12)]
    assert [one["newText"] for one in found["rename"]["spec.vl"]] == ["pair"]
    assert [one["kind"]["value"] for one in found["actions"]] == ["quickfix", "source.fixAll"]
    assert [one["newText"] for one in found["actions"][0]["edit"]["spec.vl"]] == ["root"]
    assert "max_tokens = 40" in found["formatting"][0]["newText"]
    assert found["symbols"] == ["towers", "pairs"]
    assert [one["label"] for one in found["hints"]] == [
        "12 layers, 768 wide, 109M parameters",
        "12 layers, 192 wide, 5.52M parameters",
        "6 layers",
    ]
    assert found["again"] == found["findings"]


def line(number: int, start: int, end: int) -> list[dict[str, int]]:
    """A range on one line, as VS Code writes ranges down."""
    return [{"line": number, "character": start}, {"line": number, "character": end}]


@needs_node
def test_a_server_that_does_not_run_is_told_of_once(tmp_path: Path) -> None:
    (tmp_path / "spec.vl").write_text(SPEC)
    [said] = shown(tmp_path, "no-such-program", "lsp")["messages"]
    assert said.startswith("`no-such-program lsp` does not run: there is no such program.")
    assert "pip install 'renaissance-vl[lsp]'" in said and "renaissance.command" in said


@needs_node
def test_what_a_server_that_ends_wrote_last_is_the_reason(tmp_path: Path) -> None:
    (tmp_path / "spec.vl").write_text(SPEC)
    program = "import sys; sys.exit('error: the language server needs pygls')"
    [said] = shown(tmp_path, sys.executable, "-c", program)["messages"]
    assert said.endswith("does not run: the language server needs pygls.")


COMMAND = """
const { commandOf } = require(process.argv[1]);
const [, , folder, other] = process.argv;
console.log(JSON.stringify([
  commandOf(undefined, folder, undefined),
  commandOf(undefined, folder, other),
  commandOf(undefined, undefined, undefined),
  commandOf(["${workspaceFolder}/bin/vl", "lsp"], folder, other),
  commandOf(["bin/vl", "lsp", "-v"], folder, other),
  commandOf(["vl"], folder, other),
]));
"""


@needs_node
@pytest.mark.skipif(sys.platform == "win32", reason="programs lie elsewhere")
def test_which_command_is_run(tmp_path: Path) -> None:
    for environment in (".venv", "chosen"):
        (tmp_path / environment / "bin").mkdir(parents=True)
        (tmp_path / environment / "bin/renaissance").touch()
    done = subprocess.run(
        ["node", "-e", COMMAND, FOLDER / "command.js", tmp_path, tmp_path / "chosen/bin/python"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout) == [
        [f"{tmp_path}/.venv/bin/renaissance", "lsp"],
        [f"{tmp_path}/chosen/bin/renaissance", "lsp"],
        ["renaissance", "lsp"],
        [f"{tmp_path}/bin/vl", "lsp"],
        [f"{tmp_path}/bin/vl", "lsp", "-v"],
        ["vl", "lsp"],
    ]
