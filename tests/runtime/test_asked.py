"""What is refused before anything heavy is imported is what would be refused later."""

from pathlib import Path

import pytest
import torch

from renaissance.runtime.asked import DEVICES, check_device, check_folder
from renaissance.runtime.errors import UsageError


@pytest.mark.parametrize("word", DEVICES)
def test_words_of_devices_are_those_of_torch(word: str) -> None:
    check_device(f"{word}:0")
    assert torch.device(f"{word}:0").index == 0


@pytest.mark.parametrize("name", ["tpu", "cuda:x", "cuda:", "GPU", "", "cpu 0"])
def test_what_torch_takes_for_no_device_is_refused(name: str) -> None:
    with pytest.raises(RuntimeError):
        torch.device(name)
    with pytest.raises(UsageError, match="is no device"):
        check_device(name)


def test_a_file_in_the_way_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    check_folder(tmp_path / "new" / "run")
    for place in ("file", "file/run"):
        with pytest.raises(UsageError, match="something else of this name is in the way"):
            check_folder(tmp_path / place)
