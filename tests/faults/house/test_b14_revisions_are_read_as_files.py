"""A file of a git revision is read with the same care as one on the disk."""

import subprocess
from pathlib import Path

import pytest

from renaissance.cli import main


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for variable in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(variable, raising=False)
    Path("zero.vl").write_bytes(b"let a = 1\0\n")
    Path("latin.vl").write_bytes("# eins\n# gr\u00fc\u00dfe\n".encode("latin-1"))
    Path("large.vl").write_bytes(b"#" * 4_000_001)
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com")
    for command in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "all")):
        subprocess.run((*git, *command), check=True)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("zero.vl", "is not a text file: it contains a zero byte"),
        ("latin.vl", "byte 0xfc in line 2, column 5"),
        ("large.vl", "is larger than 4 MB"),
    ],
)
def test_the_same_sentence_from_both(
    repository: Path, name: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("fine.vl").write_text("# nothing\n")
    told = []
    for address in (name, f"git:HEAD:{name}"):
        assert main(["diff", "fine.vl", address]) == 2
        err = capsys.readouterr().err
        assert said in err
        told.append(err.replace("git:HEAD:", ""))
    assert told[0] == told[1]
