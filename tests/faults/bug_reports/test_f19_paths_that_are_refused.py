"""Image paths that the system refuses: not damage, and the reason in words."""

import os
from pathlib import Path

import pytest
from PIL import Image

from renaissance.runtime.data.decode import UnreadableImageError, read_image


def test_links_in_a_circle_long_names_and_files_for_folders(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    cases = {
        tmp_path / "loop.png": "too many levels of symbolic links",
        tmp_path / ("x" * 400): "file name too long",
        tmp_path / "a.png" / "b.png": "not a directory",
    }
    for path, said in cases.items():
        with pytest.raises(UnreadableImageError) as error:
            read_image(str(path), 8, "crop")
        assert str(error.value) == f"cannot be opened: {said}"


def test_a_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (4, 4)).save(path)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(UnreadableImageError, match="cannot be opened: permission denied"):
        read_image(str(path), 8, "crop")
