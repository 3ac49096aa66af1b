"""`fmt --diff` prints a patch, whatever ends the lines of a file."""

import subprocess
from pathlib import Path

import pytest

from renaissance.cli import main


@pytest.mark.parametrize(
    "text",
    [
        "let a=1",
        "let a=1\n",
        "let a = 1",
        "let b = 2\nlet a=1",
        "let a=1\r\nlet b = 2\r\n",
        "let a = 1\r\nlet b=2",
        "\ufefflet a=1\nlet b = 2\n",
        'let a=1\n\n\n\nlet b = "\u2028"\n\n\n',
    ],
)
def test_the_patch_makes_the_formatted_file(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.vl").write_bytes(text.encode())
    assert main(["fmt", "--diff", "a.vl"]) == 1
    printed = capsys.readouterr().out
    assert ("\\ No newline at end of file\n" in printed) == (not text.endswith("\n"))
    patched = subprocess.run(
        ["git", "apply", "--recount", "-p0", "-"],
        input=printed.replace("a.vl (formatted)", "a.vl").encode(),
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "GIT_CEILING_DIRECTORIES": str(tmp_path)},
    )
    assert patched.returncode == 0
    made = Path("a.vl").read_bytes()
    Path("a.vl").write_bytes(text.encode())
    assert main(["fmt", "a.vl"]) == 0
    assert Path("a.vl").read_bytes() == made


def test_line_ends_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.vl").write_bytes(b"let a = 1\r\n")
    assert main(["fmt", "--diff", "a.vl"]) == 1
    assert "only its line ends" in capsys.readouterr().out
