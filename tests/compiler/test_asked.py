"""What is refused before anything heavy is imported."""

from pathlib import Path

import pytest

from renaissance.compiler.asked import check_folder
from renaissance.compiler.errors import CompileError


def test_a_link_that_leads_nowhere_and_a_home_are_no_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    (tmp_path / "lost").symlink_to("disk")
    check_folder(tmp_path / "link" / "run")
    with pytest.raises(CompileError, match="lost` is a link to `disk`, which is not there"):
        check_folder(tmp_path / "lost" / "run")
    monkeypatch.setenv("HOME", "/home/me")
    with pytest.raises(CompileError, match="write `/home/me/runs/a`"):
        check_folder(Path("~/runs/a"))


@pytest.mark.parametrize("place", ["file", "file/run"])
def test_a_file_in_the_way_is_no_folder(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    check_folder(tmp_path)
    check_folder(tmp_path / "new" / "run")
    with pytest.raises(CompileError, match="file` is a file, not a folder"):
        check_folder(tmp_path / place)
