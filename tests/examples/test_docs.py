"""What the pages say is so: commands and code run, specs pass `check`, links lead somewhere.

A page is a session: its blocks are gone through from top to bottom in one folder. A block that
names a file (`vl first.vl`) writes it; blocks of `sh` and `console` are commands that run, the
latter with what they print; all other commands are read only. The data of easy-VQA are a few images
here, so that trainings as a reader would start them take a second.
"""

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from PIL import Image

from renaissance.cli import main
from tests.examples.commands import is_command, understand, words_of
from tests.tiny import write_easy_vqa

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md"))}
PAGES["README.md"] = (ROOT / "README.md").read_text(encoding="utf-8")
WRITTEN = "start.md", "tasks.md", "studies.md", "clusters.md"
"""Pages whose commands go on where those of the first one end."""

BLOCK = re.compile(r"^```(\w*)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`]+)`")
INDENTED = re.compile(r"(?<=\n\n)(?: {4}\S.*\n)+")
LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code: what it is in, the file that it is, if any, and its lines."""

    language: str
    name: str
    text: str


def blocks_of(page: str) -> list[Block]:
    return [Block(*found) for found in BLOCK.findall(PAGES[page])]


def named_files() -> dict[str, str]:
    return {block.name: block.text for page in WRITTEN for block in blocks_of(page) if block.name}


def say(command: str, *, refused: bool = False) -> str:
    """Run a command of a page in the working folder and return what it prints.

    Args:
        command: as it is written.
        refused: whether the page shows it finding errors.
    """
    words = words_of(command)
    printed = io.StringIO()
    if words[0] == "renaissance":
        with redirect_stdout(printed), redirect_stderr(printed):
            code = main(words[1:])
        assert code == refused, f"{command}: {code}\n{printed.getvalue()}"
    elif words[0] == "sed":
        subprocess.run(command, shell=True, check=True)
    elif words[0] == "sbatch" or "/" in words[0]:
        script = Path(words[-1])
        assert os.access(script, os.X_OK) or words[0] == "sbatch", f"{script} cannot be started"
        subprocess.run(["bash", "-n", str(script)], check=True)
    else:
        understand(command)
    return printed.getvalue()


def go_through(page: str) -> None:
    """Do in the working folder what a page says."""
    for block in blocks_of(page):
        shown = block.text.startswith("$ ")
        if block.name:
            Path(block.name).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            with redirect_stdout(io.StringIO()):
                exec(compile(block.text, page, "exec"), {})
        elif block.language == "sh":
            for command in block.text.splitlines():
                say(command)
        elif shown:
            for part in block.text.removeprefix("$ ").split("\n$ "):
                command, _, output = part.partition("\n")
                printed = say(command, refused="error[" in output)
                pieces = output.rstrip().split("…")
                expected = ".*?".join(re.escape(piece.strip()) for piece in pieces)
                assert re.search(expected, printed, re.DOTALL), f"{command} prints\n{printed}"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a reader who has read the first page."""
    folder = tmp_path_factory.mktemp("reader")
    package = tmp_path_factory.mktemp("packages")
    (package / "easy_vqa").mkdir()
    (package / "easy_vqa" / "__init__.py").touch()
    write_easy_vqa(package / "easy_vqa" / "data", train=8, test=4, shapes=True)
    (folder / "photos").mkdir()
    for number in range(1, 7):
        Image.new("RGB", (64, 48), (40 * number, 90, 20)).save(folder / f"photos/{number}.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        # Other tests may have imported the installed one, whose data would be found then.
        patch.delitem(sys.modules, "easy_vqa", raising=False)
        patch.syspath_prepend(package)
        go_through(WRITTEN[0])
        yield folder


def test_first_page(home: Path) -> None:
    assert (home / "runs/first/report.html").is_file() and (home / "answers.csv").is_file()


@pytest.mark.parametrize("page", WRITTEN[1:])
def test_pages_that_go_on_from_the_first_one(page: str, home: Path) -> None:
    go_through(page)


def test_code_of_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = {block.language: block.text for block in blocks_of("README.md") if block.language}
    Path("frozen.vl").write_text(blocks["vl"].replace("freeze vision", "freeze vison"))
    shown = [block.text for block in blocks_of("README.md") if block.text.startswith("$ ")]
    assert shown
    plain = blocks["vl"].replace('huggingface("google/electra-small-discriminator")', "plain_text")
    plain = plain.replace('timm("deit_tiny_patch16_224")', "plain_vision")
    plain = plain.replace("max_tokens = 50", "layers = 1, width = 16, heads = 2, vocabulary = 99")
    plain = plain.replace("image_size = 224", "layers = 1, width = 16, heads = 2, image_size = 32")
    plain = plain.replace("text.layers[:4]", "text.layers[:1]")
    for text in shown:
        command, _, output = text.removeprefix("$ ").partition("\n")
        assert output in say(command, refused=True)
    Path("frozen.vl").write_text(plain)
    ids = torch.ones(2, 5, dtype=torch.long)
    given = {"ids": ids, "mask": torch.ones_like(ids), "pixels": torch.zeros(2, 3, 32, 32)}
    with redirect_stdout(io.StringIO()):
        exec(compile(blocks["python"], "README.md", "exec"), given)


@pytest.mark.parametrize("page", PAGES)
def test_every_other_command_can_be_given(page: str) -> None:
    text = PAGES[page]
    prose = BLOCK.sub("", text)
    inline = [" ".join(code.split()) for code in INLINE.findall(prose)]
    commands = [code for code in inline if is_command(code)]
    for lines in INDENTED.findall(prose):
        commands += [line.strip() for line in lines.splitlines()]
    for block in blocks_of(page):
        if not block.language and not block.name and is_command(block.text.splitlines()[0]):
            commands += block.text.splitlines()
    known = {*named_files(), "job", "frozen.vl"}
    for command in commands:
        understand(command, known)


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_of_a_kind_that_is_tested(page: str) -> None:
    shown_by_other_tests = page in ("extending.md", "editor.md")
    diagrams = {"README.md": 0, "architecture.md": 2}
    unknown = []
    for block in blocks_of(page):
        first = block.text.split(maxsplit=1)[0]
        plain = not block.language and (first in ("study", "$") or is_command(block.text))
        shown = block.language in ("vl", "csv", "sh", "console", "python")
        if not plain and not shown and not block.name:
            unknown.append(block)
    assert len(unknown) == diagrams.get(page, 0) or shown_by_other_tests


@pytest.mark.parametrize("page", [page for page in PAGES if page != "extending.md"])
def test_specs_pass_check(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in named_files().items():
        Path(name).write_text(text, encoding="utf-8")
    for block in blocks_of(page):
        study = not block.language and block.text.startswith("study ")
        if study or block.language == "vl":
            # A study alone is of the jobs of the first page.
            start = 'import "first.vl"\n' if study else ""
            Path("block.vl").write_text(start + block.text, encoding="utf-8")
            assert main(["check", "block.vl"]) == 0, capsys.readouterr().out
            if block.name:
                assert main(["fmt", "--check", "block.vl"]) == 0


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    folder = ROOT if page == "README.md" else DOCS
    for link in LINK.findall(BLOCK.sub("", PAGES[page])):
        if not link.startswith("https://"):
            path, _, heading = link.partition("#")
            assert (folder / path).exists(), link
            assert not heading, f"{link}: headings change their names"


def test_the_map_names_every_page() -> None:
    linked = set(LINK.findall(PAGES["index.md"]))
    assert linked == PAGES.keys() - {"index.md", "README.md"}
