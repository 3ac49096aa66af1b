"""What a process may use, within the limits of its group."""

from pathlib import Path

import pytest

from renaissance.runtime import machine


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of this process's group, in a tree of the second version."""
    inside = tmp_path / "outer" / "inner"
    inside.mkdir(parents=True)
    (tmp_path / "meminfo").write_text("MemTotal: 99 kB\nMemAvailable:   8388608 kB\n")
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    monkeypatch.setattr(machine, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(machine, "_groups", lambda: [inside, inside.parent, tmp_path])
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda number: set(range(12)))
    return inside


def test_without_limits_the_machine_counts(group: Path) -> None:
    (group / "memory.max").write_text("max\n")
    (group / "memory.current").write_text("5\n")
    (group / "cpu.max").write_text("max 100000\n")
    assert machine.free_memory() == 8 * 2**30
    assert machine.cores() == 12


def test_the_narrowest_group_counts(group: Path) -> None:
    for folder, most, used, files in ((group, 6, 4, 1), (group.parent, 10, 2, 0)):
        (folder / "memory.max").write_text(f"{most * 2**30}\n")
        (folder / "memory.current").write_text(f"{used * 2**30}\n")
        (folder / "memory.stat").write_text(f"anon 7\ninactive_file {files * 2**30}\n")
    assert machine.free_memory() == 3 * 2**30
    (group.parent / "cpu.max").write_text("350000 100000\n")
    assert machine.cores() == 3
    (group / "cpu.max").write_text("50000 100000\n")
    assert machine.cores() == 1


def test_first_version_of_groups(group: Path, tmp_path: Path) -> None:
    (group / "memory.limit_in_bytes").write_text(f"{2**30}\n")
    (group / "memory.usage_in_bytes").write_text(f"{2**29}\n")
    (group / "memory.stat").write_text(f"inactive_file 1\ntotal_inactive_file {2**28}\n")
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("200000\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert machine.free_memory() == 2**29 + 2**28
    assert machine.cores() == 2
    (group / "memory.limit_in_bytes").write_text("9223372036854771712\n")
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("-1\n")
    assert machine.free_memory() == 8 * 2**30
    assert machine.cores() == 12


def test_this_machine() -> None:
    free = machine.free_memory()
    assert machine.cores() >= 1 and (free is None or free > 2**20)
