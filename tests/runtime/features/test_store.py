"""Features on disk: shared, damaged, cut off, too many."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from renaissance.runtime.features import store as store_module
from renaissance.runtime.features.content import ImageContents
from renaissance.runtime.features.folder import used_bytes
from renaissance.runtime.features.keeping import Keeper
from renaissance.runtime.features.ledger import RECORD_BYTES, Ledger
from renaissance.runtime.features.store import FeatureStore

SHAPE = (3, 8)
ENTRY = 3 * 8 * 4


def content(number: int) -> bytes:
    return number.to_bytes(16, "little")


def features(*numbers: int) -> Tensor:
    """Features that tell which image they belong to."""
    return torch.stack([torch.full(SHAPE, float(number)) for number in numbers])


def new_store(root: Path, key: str = "tower") -> FeatureStore:
    return FeatureStore(root / key, SHAPE, torch.float32)


def kept(root: Path, *numbers: int, limit: int = 10**9, told: list[str] | None = None) -> int:
    keeper = Keeper(root, "tower", limit, [].append if told is None else told.append)
    try:
        return keeper.keep(new_store(root), [content(n) for n in numbers], features(*numbers))
    finally:
        keeper.close()


def found(root: Path, *numbers: int) -> list[int]:
    """Which of the images have sound features; these must be their own."""
    store = new_store(root)
    store.refresh()
    known, read = store.read([content(n) for n in numbers])
    own = [n for n, yes in zip(numbers, known, strict=True) if yes]
    assert torch.equal(read, features(*own) if own else torch.empty(0, *SHAPE))
    return own


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_what_is_kept_is_read_bit_for_bit(tmp_path: Path, dtype: torch.dtype) -> None:
    (tmp_path / "tower").mkdir()
    store = FeatureStore(tmp_path / "tower", (5, 7), dtype)
    drawn = torch.randn(4, 5, 7).to(dtype)
    store.add([content(n) for n in range(4)], drawn)
    known, read = store.read([content(2), None, content(9), content(0)])
    assert known.tolist() == [True, False, False, True]
    assert read.dtype == dtype and torch.equal(read, drawn[[2, 0]])


def test_nothing_is_kept_twice(tmp_path: Path) -> None:
    assert kept(tmp_path, 1, 2, 1) == 2
    assert kept(tmp_path, 2, 3) == 1
    assert (tmp_path / "tower/000000.features").stat().st_size == 3 * ENTRY
    assert found(tmp_path, 1, 2, 3, 4) == [1, 2, 3]


def test_a_reader_learns_what_others_add(tmp_path: Path) -> None:
    kept(tmp_path, 1)
    reader = new_store(tmp_path)
    reader.refresh()
    assert reader.holds(content(1)) and reader.read([content(1)])[0].all()
    kept(tmp_path, 2)
    assert not reader.holds(content(2))
    reader.refresh()
    assert reader.read([content(1), content(2)])[0].all()


def test_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "SHARD_BYTES", 2 * ENTRY + 1)
    kept(tmp_path, *range(5))
    assert len(list((tmp_path / "tower").glob("*.features"))) == 3
    assert found(tmp_path, *range(5)) == list(range(5))


def test_a_damaged_entry_reads_as_absent_and_is_made_anew(tmp_path: Path) -> None:
    kept(tmp_path, 1, 2, 3)
    shard = tmp_path / "tower/000000.features"
    whole = bytearray(shard.read_bytes())
    whole[ENTRY + 5] ^= 1
    shard.write_bytes(whole)
    assert found(tmp_path, 1, 2, 3) == [1, 3]
    assert kept(tmp_path, 1, 2, 3) == 1
    assert found(tmp_path, 1, 2, 3) == [1, 2, 3]


@pytest.mark.parametrize("name", ["000000.features", "ledger"])
@pytest.mark.parametrize("left", [0, 1, ENTRY + 1])
def test_a_file_that_was_cut_off(tmp_path: Path, name: str, left: int) -> None:
    kept(tmp_path, 1, 2, 3)
    reader = new_store(tmp_path)
    reader.refresh()
    assert reader.read([content(3)])[0].all()
    os.truncate(tmp_path / "tower" / name, left)
    reader.refresh()
    # A reader that has the file mapped does not touch what is gone.
    reader.read([content(n) for n in (1, 2, 3)])
    assert set(found(tmp_path, 1, 2, 3)) < {1, 2, 3}
    kept(tmp_path, 1, 2, 3)
    assert found(tmp_path, 1, 2, 3) == [1, 2, 3]


def test_damage_in_the_ledger(tmp_path: Path) -> None:
    kept(tmp_path, 1, 2)
    path = tmp_path / "tower/ledger"
    data = bytearray(path.read_bytes())
    data[3] ^= 255
    path.write_bytes(data)
    assert found(tmp_path, 1, 2) == [2]
    kept(tmp_path, 1)
    assert found(tmp_path, 1, 2) == [1, 2]


def test_an_unfinished_record_is_passed_over(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    ledger.append([(content(1), content(10))])
    with (tmp_path / "ledger").open("ab") as file:
        file.write(b"x" * (RECORD_BYTES - 1))
    other = Ledger(tmp_path / "ledger")
    other.refresh()
    assert len(other) == 1
    other.append([(content(2), content(20))])
    ledger.refresh()
    assert [ledger.get(content(n)) for n in (1, 2)] == [content(10), content(20)]


WRITER = """
import sys, torch
from pathlib import Path
from renaissance.runtime.features.keeping import Keeper
from renaissance.runtime.features.store import FeatureStore
root, first, last, stride = Path(sys.argv[1]), *map(int, sys.argv[2:])
keeper = Keeper(root, "tower", 10**9, print)
store = FeatureStore(root / "tower", (3, 8), torch.float32)
for start in range(first, last, stride):
    numbers = range(start, start + stride)
    rows = torch.stack([torch.full((3, 8), float(n)) for n in numbers])
    keeper.keep(store, [n.to_bytes(16, "little") for n in numbers], rows)
"""


def writer(root: Path, *numbers: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(root), *map(str, numbers)])


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    processes = [writer(tmp_path, 0, 600, 5), writer(tmp_path, 300, 900, 7)]
    assert [process.wait(120) for process in processes] == [0, 0]
    assert found(tmp_path, *range(900)) == list(range(900))
    shard = (tmp_path / "tower/000000.features").stat().st_size
    ledger = (tmp_path / "tower/ledger").stat().st_size
    assert shard // ENTRY == ledger // RECORD_BYTES >= 900


def test_a_killed_writer_leaves_nothing_that_looks_whole(tmp_path: Path) -> None:
    process = writer(tmp_path, 0, 10**6, 50)
    ledger = tmp_path / "tower/ledger"
    while not ledger.exists() or ledger.stat().st_size < 20 * RECORD_BYTES:
        time.sleep(0.005)
    process.kill()
    assert process.wait(60) == -signal.SIGKILL
    there = found(tmp_path, *range(20000))
    assert len(there) >= 20
    # Nobody holds the lock any more.
    assert kept(tmp_path, 10**7) == 1
    assert found(tmp_path, 10**7, *there) == [10**7, *there]


def test_the_limit_is_kept(tmp_path: Path) -> None:
    told: list[str] = []
    keeper = Keeper(tmp_path, "tower", 4 * (ENTRY + RECORD_BYTES), told.append)
    store = new_store(tmp_path)
    for number in range(0, 9, 3):
        keeper.keep(store, [content(n) for n in range(number, number + 3)], features(0, 0, 0))
    keeper.close()
    assert len(store) == 4 and used_bytes(tmp_path) <= 4 * (ENTRY + RECORD_BYTES)
    [sentence] = told
    assert "`cache_limit` is reached" in sentence


def test_towers_that_nobody_uses_make_room(tmp_path: Path) -> None:
    limit = 4 * (ENTRY + RECORD_BYTES)
    for key, mark in (("old", 1), ("older", 0)):
        keeper = Keeper(tmp_path, key, limit, print)
        keeper.keep(new_store(tmp_path, key), [content(1), content(2)], features(1, 2))
        keeper.close()
        os.utime(tmp_path / key / "in-use", (mark, mark))
    used = Keeper(tmp_path, "old", limit, print)
    assert kept(tmp_path, 1, 2, limit=limit) == 2
    assert (tmp_path / "old").is_dir() and not (tmp_path / "older").exists()
    used.close()
    os.utime(tmp_path / "old/in-use", (1, 1))
    assert kept(tmp_path, 3, 4, limit=limit) == 2
    assert not (tmp_path / "old").exists() and found(tmp_path, 1, 2, 3, 4) == [1, 2, 3, 4]


def test_a_full_disk_ends_the_keeping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(tmp_path, 1)
    told: list[str] = []
    keeper = Keeper(tmp_path, "tower", 10**9, told.append)
    left = [ENTRY + 10]
    real = os.pwrite

    def full(descriptor: int, data: memoryview, offset: int) -> int:
        if not left[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        part = data[: left[0]]
        left[0] -= len(part)
        return real(descriptor, part, offset)

    monkeypatch.setattr(os, "pwrite", full)
    store = new_store(tmp_path)
    assert keeper.keep(store, [content(n) for n in (2, 3, 4)], features(2, 3, 4)) == 0
    monkeypatch.undo()
    assert keeper.keep(store, [content(5)], features(5)) == 0
    keeper.close()
    [sentence] = told
    assert "no space left" in sentence
    assert (tmp_path / "tower/000000.features").stat().st_size == ENTRY
    assert found(tmp_path, 1, 2, 3, 4, 5) == [1]
    assert kept(tmp_path, 2) == 1


def test_only_the_user_can_read_it(tmp_path: Path) -> None:
    kept(tmp_path, 1)
    assert (tmp_path / "tower").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "tower").iterdir())


def test_files_are_read_again_only_if_they_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = tmp_path / "image"
    image.write_bytes(b"one")
    os.utime(image, (1, 1))
    [first] = ImageContents(tmp_path, 10**6).digests([str(image)])
    assert first is not None and len(first) == 16
    opened: list[Path] = []
    real = Path.open

    def noted(path: Path, mode: str = "r") -> object:
        if mode == "rb":
            opened.append(path)
        return real(path, mode)

    monkeypatch.setattr(Path, "open", noted)
    assert ImageContents(tmp_path, 10**6).digests([str(image), str(tmp_path / "none")]) == [
        first,
        None,
    ]
    assert image not in opened
    image.write_bytes(b"two")
    [second] = ImageContents(tmp_path, 10**6).digests([str(image)])
    assert image in opened and second != first
    copy = tmp_path / "copy"
    copy.write_bytes(b"one")
    assert ImageContents(tmp_path, 10**6).digests([str(copy)]) == [first]


def test_a_file_that_has_just_changed_is_not_remembered(tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.write_bytes(b"one")
    status = image.stat()
    [first] = ImageContents(tmp_path, 10**6).digests([str(image)])
    # The same size at the same time: nothing tells but the bytes.
    image.write_bytes(b"two")
    os.utime(image, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert ImageContents(tmp_path, 10**6).digests([str(image)]) != [first]


def test_an_empty_batch(tmp_path: Path) -> None:
    kept(tmp_path, 1)
    known, read = new_store(tmp_path).read([])
    assert known.shape == (0,) and read.shape == (0, *SHAPE) and known.dtype == np.bool_
