"""What is refused before anything heavy is imported is what would be refused later."""

import pytest
import torch

from renaissance.runtime.asked import DEVICES, check_device
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
