"""Energy is what hardware counted, or nothing."""

import ctypes
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from renaissance.runtime.studies import energy
from renaissance.runtime.studies.energy import Energy, Package, processor_counter

END = 2**36


def package(root: Path, name: str, kind: str, joules: float) -> Path:
    """Make what Linux shows of a package of processors, or of a part of one."""
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{kind}\n")
    (folder / "energy_uj").write_text(f"{round(joules * 1e6)}\n")
    (folder / "max_energy_range_uj").write_text(f"{END}\n")
    return folder


def test_packages_add_up_and_their_parts_and_the_platform_do_not(tmp_path: Path) -> None:
    first = package(tmp_path, "intel-rapl:0", "package-0", 0.1)
    second = package(tmp_path, "intel-rapl:1", "package-1", 0.9)
    for name, kind in (("intel-rapl:0:0", "core"), ("intel-rapl:2", "psys")):
        package(tmp_path, name, kind, 0.1)
    taken = Energy(processor_counter(tmp_path))
    (first / "energy_uj").write_text("350000")
    (second / "energy_uj").write_text("51425")  # it began anew at its end
    assert taken.joules() == pytest.approx(0.25 + (END + 1 - 900_000 + 51_425) / 1e6)
    assert taken.joules() == pytest.approx(taken.joules())
    (tmp_path / "intel-rapl:2" / "energy_uj").write_text("900000")
    assert taken.joules() == pytest.approx(0.25 + (END + 1 - 900_000 + 51_425) / 1e6)
    taken.close()


def test_a_round_that_may_have_been_missed_is_not_guessed(tmp_path: Path) -> None:
    folder, now = package(tmp_path, "intel-rapl:0", "package-0", 0.1), [0.0]
    counter = Package(folder, lambda: now[0])
    assert counter.joules() == 0
    (folder / "energy_uj").write_text("300000")
    now[0] += 60
    assert counter.joules() == pytest.approx(0.2)
    now[0] += 3600
    for _ in range(2):  # later looks do not know it either
        with pytest.raises(ValueError, match="missed"):
            counter.joules()


def test_a_counter_that_falls_says_nothing() -> None:
    joules = iter([500.0, 20.0])
    taken = Energy(lambda: next(joules))
    assert taken.joules() is None
    taken.close()


def test_what_is_not_counted_is_not_guessed(tmp_path: Path) -> None:
    assert processor_counter(tmp_path / "none") is None
    folder = package(tmp_path, "intel-rapl:0", "package-0", 0.1)
    taken = Energy(processor_counter(tmp_path))
    (folder / "energy_uj").unlink()  # it may no longer be read
    assert taken.joules() is None
    assert processor_counter(tmp_path) is None
    assert Energy(None).joules() is None
    (folder / "energy_uj").write_text("no number")
    assert processor_counter(tmp_path) is None and taken.joules() is None
    taken.close()


class Driver:
    """Stands for NVIDIA's library: a GPU that takes 250 J between two looks."""

    def __init__(self, *, knows: bool = True, counts: bool = True) -> None:
        self.millijoules, self.counts, self.asked = 5_000_000, counts, b""
        self.knows = knows

    def nvmlInit_v2(self) -> int:  # noqa: N802 - its names
        return 0

    def nvmlDeviceGetHandleByUUID(self, name: bytes, handle: Any) -> int:  # noqa: N802
        self.asked = name
        return 0 if self.knows else 6

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: Any, into: Any) -> int:  # noqa: N802
        into._obj.value = self.millijoules
        self.millijoules += 250_000
        return 0 if self.counts else 3


def counted(driver: object, monkeypatch: pytest.MonkeyPatch) -> float | None:
    def library(name: str) -> object:
        if driver is None:
            raise OSError(f"{name}: cannot open shared object file")
        return driver

    monkeypatch.setattr(ctypes, "CDLL", library)
    seen = SimpleNamespace(uuid="1234")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: seen)
    taken = Energy.begin(torch.device("cuda", 0))
    joules = taken.joules()
    taken.close()
    return joules


def test_a_gpu_is_asked_for_by_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver()
    assert counted(driver, monkeypatch) == pytest.approx(250)
    assert driver.asked == b"GPU-1234"


@pytest.mark.parametrize(
    "driver", [None, Driver(knows=False), Driver(counts=False), SimpleNamespace()]
)
def test_a_gpu_that_counts_nothing_has_no_energy(
    driver: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert counted(driver, monkeypatch) is None


def test_a_processor_is_read_where_linux_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = package(tmp_path, "intel-rapl:0", "package-0", 0.1)
    monkeypatch.setattr(energy, "RAPL", tmp_path)
    taken = Energy.begin(torch.device("cpu"))
    (folder / "energy_uj").write_text("400000")
    assert taken.joules() == pytest.approx(0.3)
    taken.close()
