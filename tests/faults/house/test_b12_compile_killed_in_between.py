"""A compile that was killed at any moment can be done again in the same folder."""

from collections.abc import Callable
from pathlib import Path

import pytest

from renaissance.compiler import bundle, compile
from renaissance.compiler.errors import CompileError
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.writing import draft_of


class KilledError(BaseException):
    """Stands for SIGKILL: nothing handles it."""


@pytest.mark.parametrize("write", range(6))
@pytest.mark.parametrize("moment", ["before it is whole", "before its name"])
def test_killed_at_a_write(
    tiny_spec: Callable[..., Spec],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    write: int,
    moment: str,
) -> None:
    monkeypatch.setattr(bundle, "plan", lambda spec: Planned())
    left = write

    def killed(path: Path, text: str) -> None:
        nonlocal left
        if left:
            left -= 1
            path.write_text(text)
            return
        half = text if moment == "before its name" else text[: len(text) // 2]
        draft_of(path).write_text(half)
        raise KilledError

    folder = tmp_path / "job"
    with monkeypatch.context() as patched:
        patched.setattr(bundle, "write_whole", killed)
        with pytest.raises(KilledError):
            compile(tiny_spec(), folder)
    compile(tiny_spec(), folder)
    assert (folder / "lock.json").read_text().startswith("{")
    assert not list(folder.glob(".draft-*"))


class Planned:
    """Planning takes long and is not what is tested."""

    def to_dict(self) -> dict[str, str]:
        return {}


@pytest.mark.parametrize("name", ["README.md", "notes.txt", "lock.json"])
def test_a_folder_of_something_else_is_refused(
    tiny_spec: Callable[..., Spec], tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(CompileError, match="is not empty and no job folder"):
        compile(tiny_spec(), tmp_path)
    (tmp_path / "spec.json").write_text("")
    if name == "notes.txt":
        with pytest.raises(CompileError, match="is not empty and no job folder"):
            compile(tiny_spec(), tmp_path)
    assert (tmp_path / name).read_text() == "mine"
