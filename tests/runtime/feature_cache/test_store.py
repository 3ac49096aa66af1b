"""Features on disk: shared, damaged, cut off, too many."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from renaissance.runtime.feature_cache import store as store_module
from renaissance.runtime.feature_cache.content import ImageContents
from renaissance.runtime.feature_cache.folder import used_bytes
from renaissance.runtime.feature_cache.keeping import Keeper
from renaissance.runtime.feature_cache.ledger import RECORD_BYTES, Ledger
from renaissance.runtime.feature_cache.store import FeatureStore

WIDTH = 8
TOKEN = WIDTH * 4
ENTRY = 3 * TOKEN


def content(number: int) -> bytes:
    return number.to_bytes(16, "little")


def features(*numbers: int, lengths: Sequence[int] | None = None) -> Tensor:
    """Features that tell which input they belong to, of 3 tokens where nothing else is said."""
    lengths = [3] * len(numbers) if lengths is None else lengths
    parts = [torch.full((n, WIDTH), float(of)) for n, of in zip(lengths, numbers, strict=True)]
    return torch.cat([torch.empty(0, WIDTH), *parts])


def new_store(root: Path, key: str = "tower") -> FeatureStore:
    return FeatureStore(root / key, WIDTH, torch.float32)


def kept(
    root: Path, *numbers: int, limit: int = 10**9, lengths: Sequence[int] | None = None
) -> int:
    keeper = Keeper(root, "tower", limit, print)
    lengths = [3] * len(numbers) if lengths is None else lengths
    try:
        contents = [content(number) for number in numbers]
        tokens = features(*numbers, lengths=lengths)
        return keeper.keep(new_store(root), contents, tokens, lengths)
    finally:
        keeper.close()


def found(root: Path, *numbers: int) -> list[int]:
    """Which of the inputs have sound features; these must be their own."""
    store = new_store(root)
    store.refresh()
    read = store.read([content(n) for n in numbers])
    own = [n for n, yes in zip(numbers, read.found, strict=True) if yes]
    assert torch.equal(read.tokens, features(*own, lengths=read.lengths.tolist()))
    return own


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_what_is_kept_is_read_bit_for_bit(tmp_path: Path, dtype: torch.dtype) -> None:
    (tmp_path / "tower").mkdir()
    store = FeatureStore(tmp_path / "tower", 7, dtype)
    lengths = [5, 1, 300, 2]
    drawn = torch.randn(sum(lengths), 7).to(dtype)
    store.add([content(n) for n in range(4)], drawn, lengths)
    read = store.read([content(2), None, content(9), content(0)])
    assert read.found.tolist() == [True, False, False, True]
    assert read.lengths.tolist() == [300, 5] and read.tokens.dtype == dtype
    assert torch.equal(read.tokens, torch.cat([drawn[6:306], drawn[:5]]))


def test_nothing_is_kept_twice(tmp_path: Path) -> None:
    assert kept(tmp_path, 1, 2, 1) == 2
    assert kept(tmp_path, 2, 3) == 1
    assert (tmp_path / "tower/000000.features").stat().st_size == 3 * ENTRY
    assert found(tmp_path, 1, 2, 3, 4) == [1, 2, 3]


def test_a_reader_learns_what_others_add(tmp_path: Path) -> None:
    kept(tmp_path, 1)
    reader = new_store(tmp_path)
    reader.refresh()
    assert reader.holds(content(1)) and reader.read([content(1)]).found.all()
    kept(tmp_path, 2)
    assert not reader.holds(content(2))
    reader.refresh()
    assert reader.read([content(1), content(2)]).found.all()


def test_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "SHARD_BYTES", 2 * ENTRY + 1)
    kept(tmp_path, *range(5))
    assert len(list((tmp_path / "tower").glob("*.features"))) == 3
    assert found(tmp_path, *range(5)) == list(range(5))


def test_no_entry_reaches_into_another_shard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "SHARD_BYTES", 10 * TOKEN)
    lengths = [4, 5, 2, 8, 10, 23, 1, 3]
    kept(tmp_path, *range(8), lengths=lengths)
    sizes = {
        int(path.stem): path.stat().st_size // TOKEN
        for path in (tmp_path / "tower").glob("*.features")
    }
    # What is longer than a shard begins one; the next entry stands at the offset where it ends.
    assert sizes == {0: 9, 1: 10, 2: 10, 3: 23, 5: 7}
    assert found(tmp_path, *range(8)) == list(range(8))
    # A second writer goes on behind the first.
    assert kept(tmp_path, 8, 9, lengths=[3, 1]) == 2
    assert found(tmp_path, *range(10)) == list(range(10))


def test_damage_among_entries_of_different_length(tmp_path: Path) -> None:
    kept(tmp_path, 1, 2, 3, lengths=[2, 5, 1])
    shard = tmp_path / "tower/000000.features"
    whole = bytearray(shard.read_bytes())
    whole[4 * TOKEN] ^= 1
    shard.write_bytes(whole)
    assert found(tmp_path, 1, 2, 3) == [1, 3]
    assert kept(tmp_path, 1, 2, 3, lengths=[2, 5, 1]) == 1
    assert found(tmp_path, 1, 2, 3) == [1, 2, 3]
    assert shard.stat().st_size == 13 * TOKEN


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
    assert reader.read([content(3)]).found.all()
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
from typing import Any
from renaissance.runtime.feature_cache.keeping import Keeper
from renaissance.runtime.feature_cache.store import FeatureStore
root, first, last, stride = Path(sys.argv[1]), *map(int, sys.argv[2:])
keeper = Keeper(root, "tower", 10**9, print)
store = FeatureStore(root / "tower", 8, torch.float32)
for start in range(first, last, stride):
    numbers = range(start, start + stride)
    lengths = [1 + n % 5 for n in numbers]
    rows = torch.cat([torch.full((k, 8), float(n)) for n, k in zip(numbers, lengths)])
    keeper.keep(store, [n.to_bytes(16, "little") for n in numbers], rows, lengths)
"""


def writer(root: Path, *numbers: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(root), *map(str, numbers)])


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    processes = [writer(tmp_path, 0, 600, 5), writer(tmp_path, 300, 900, 7)]
    assert [process.wait(120) for process in processes] == [0, 0]
    last = 300 + 7 * 86
    assert found(tmp_path, *range(last)) == list(range(last))
    shard = (tmp_path / "tower/000000.features").stat().st_size
    ledger = (tmp_path / "tower/ledger").stat().st_size
    assert ledger == last * RECORD_BYTES
    assert shard == sum(1 + n % 5 for n in range(last)) * TOKEN


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
        contents = [content(n) for n in range(number, number + 3)]
        keeper.keep(store, contents, features(0, 0, 0), [3, 3, 3])
    keeper.close()
    assert len(store) == 4 and used_bytes(tmp_path) <= 4 * (ENTRY + RECORD_BYTES)
    [sentence] = told
    assert "`cache_limit` is reached" in sentence


def test_entries_of_different_length_fill_the_limit(tmp_path: Path) -> None:
    limit = 10 * TOKEN + 3 * RECORD_BYTES
    assert kept(tmp_path, 1, 2, 3, 4, lengths=[2, 5, 3, 1], limit=limit) == 3
    assert used_bytes(tmp_path) == limit
    assert found(tmp_path, 1, 2, 3, 4) == [1, 2, 3]


def test_towers_that_nobody_uses_make_room(tmp_path: Path) -> None:
    limit = 4 * (ENTRY + RECORD_BYTES)
    for key, mark in (("old", 1), ("older", 0)):
        keeper = Keeper(tmp_path, key, limit, print)
        contents = [content(1), content(2)]
        keeper.keep(new_store(tmp_path, key), contents, features(1, 2), [3, 3])
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
    contents = [content(n) for n in (2, 3, 4)]
    assert keeper.keep(store, contents, features(2, 3, 4), [3, 3, 3]) == 0
    monkeypatch.undo()
    assert keeper.keep(store, [content(5)], features(5), [3]) == 0
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
    opened: list[str] = []
    real = os.open

    def noted(path: str, *arguments: Any, **options: Any) -> int:
        opened.append(str(path))
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", noted)
    assert ImageContents(tmp_path, 10**6).digests([str(image), str(tmp_path / "none")]) == [
        first,
        None,
    ]
    assert str(image) not in opened
    image.write_bytes(b"two")
    [second] = ImageContents(tmp_path, 10**6).digests([str(image)])
    assert str(image) in opened and second != first
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
    read = new_store(tmp_path).read([])
    assert read.found.shape == (0,) and read.found.dtype == np.bool_
    assert read.tokens.shape == (0, WIDTH) and read.lengths.shape == (0,)
