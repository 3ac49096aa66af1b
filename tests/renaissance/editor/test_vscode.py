"""The extension for VS Code: what it consists of, and its client against the real server."""

import json
import shutil
import subprocess
import sys
import zipfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

FOLDER = Path(__file__).parents[3] / "editors/vscode"
SPACE = "{http://schemas.microsoft.com/developer/vsx-schema/2011}"
TALK = """
const { Server } = require(process.argv[1]);
const told = [];
const server = new Server([process.argv[2], "-m", "renaissance", "lsp"], process.argv[3],
  (method, params) => told.push([method, params]), () => {});
const textDocument = { uri: "untitled:one" };
(async () => {
  await server.ask("initialize", { processId: process.pid, rootUri: null, capabilities: {} });
  server.tell("initialized", {});
  const text = "let 𝄞 = 1\\n";
  const opened = { ...textDocument, languageId: "vl", version: 1, text };
  server.tell("textDocument/didOpen", { textDocument: opened });
  await server.ask("textDocument/documentSymbol", { textDocument });
  const published = told.filter(([method]) => method === "textDocument/publishDiagnostics");
  console.log(JSON.stringify(published));
  await server.ask("shutdown", null);
  server.tell("exit", null);
})();
"""


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
    assets = {asset.attrib["Path"] for asset in manifest.iter(f"{SPACE}Asset")}
    assert assets == {"extension/package.json"}
    identity = next(manifest.iter(f"{SPACE}Identity")).attrib
    assert identity["Id"] == package["name"] and identity["Version"] == package["version"]
    contributed = package["contributes"]
    named = [package["main"], *(one["path"] for one in contributed["grammars"])]
    named += [one["configuration"] for one in contributed["languages"]]
    assert {f"extension/{Path(name).as_posix()}" for name in named} <= names
    endings = {one.attrib["Extension"] for one in types}
    assert {Path(name).suffix for name in names if name.startswith("extension")} <= endings


def test_the_same_files_give_the_same_bytes(script: ModuleType, tmp_path: Path) -> None:
    first = script.build(tmp_path).read_bytes()
    assert script.build(tmp_path).read_bytes() == first


def test_its_version_is_that_of_the_package() -> None:
    from renaissance import __version__

    package = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
    assert package["version"] == __version__


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node")
def test_its_client_talks_to_the_server(tmp_path: Path) -> None:
    pytest.importorskip("pygls", reason="the language server needs pygls")
    done = subprocess.run(
        ["node", "-e", TALK, FOLDER / "server.js", sys.executable, tmp_path],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [[_, told]] = json.loads(done.stdout)
    assert told["uri"] == "untitled:one" and told["version"] == 1
    assert told["diagnostics"][0]["range"]["start"] == {"line": 0, "character": 4}
