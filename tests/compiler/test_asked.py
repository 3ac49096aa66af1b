"""What is refused before anything heavy is imported."""

from pathlib import Path

import pytest

from renaissance.compiler.asked import check_folder
from renaissance.compiler.errors import CompileError


@pytest.mark.parametrize("place", ["file", "file/run"])
def test_a_file_in_the_way_is_no_folder(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    check_folder(tmp_path)
    check_folder(tmp_path / "new" / "run")
    with pytest.raises(CompileError, match="file` is a file, not a folder"):
        check_folder(tmp_path / place)
