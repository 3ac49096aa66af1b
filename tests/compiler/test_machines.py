"""Machines to plan for, and times on them."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from renaissance.compiler import plan
from renaissance.compiler.errors import CompileError
from renaissance.compiler.planning import measurement
from renaissance.compiler.planning.machines import GPUS, USABLE, find_gpu, read_bench
from renaissance.grammar.schema.model import Freeze
from renaissance.render.plan import text_of
from tests.compiler.declarations import spec, two_towers


@pytest.mark.parametrize("name", ["h100", "H100 SXM", "rtx-4090", "A100-80", "MI300X"])
def test_names_are_read_generously(name: str) -> None:
    assert find_gpu(name) in GPUS.values()


def test_an_unknown_name_is_one_sentence() -> None:
    with pytest.raises(CompileError, match="no figures for a GPU `h101`; nearest are h100"):
        find_gpu("h101")


def test_a_measured_file_is_a_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurement, "_SECONDS", 0.05)
    monkeypatch.setattr(measurement, "_SIDES", {"cpu": 128, "cuda": 128})
    monkeypatch.setattr(measurement, "_COPIED", {"cpu": 2**20, "cuda": 2**20})
    found = measurement.measure("cpu")
    path = tmp_path / "bench.json"
    path.write_text(found.model_dump_json())
    machine = read_bench(str(path))
    assert machine.fp32 == found.products["fp32"] > 1e6
    assert machine.memory is not None and machine.memory > 2**28
    planned = plan(spec(two_towers()), machine=machine)
    assert planned.device == "cpu"
    assert planned.jobs[0].run.seconds == pytest.approx(10 * planned.jobs[0].stages[0].speed.step)  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ["{}", "no json", json.dumps({"name": "x"})])
def test_what_is_no_measured_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bench.json"
    path.write_text(text)
    with pytest.raises(CompileError, match="is no file of `renaissance bench`"):
        read_bench(str(path))
    with pytest.raises(CompileError, match="cannot read"):
        read_bench(str(tmp_path / "none.json"))


MEASURED: dict[str, object] = {
    "name": "a [new] machine [/]",
    "device": "cpu",
    "threads": 1,
    "torch": "2",
    "products": {"fp32": 1e11},
    "bandwidth": 1e10,
    "memory": 2**30,
    "launch": 1e-6,
}


def test_names_of_machines_are_printed_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    path.write_text(json.dumps(MEASURED))
    text = text_of(plan(spec(two_towers()), machine=read_bench(str(path))))
    assert "\na [new] machine [/], 1 threads  a step is bound by" in text


@pytest.mark.parametrize(
    "wrong", [{"products": {"fp32": 1e-300}}, {"bandwidth": float("inf")}, {"written": 0.5}]
)
def test_figures_of_no_machine(tmp_path: Path, wrong: dict[str, object]) -> None:
    path = tmp_path / "bench.json"
    path.write_text(json.dumps(MEASURED | wrong))
    with pytest.raises(CompileError, match="is no file of `renaissance bench`"):
        read_bench(str(path))


def test_a_device_that_cannot_be_measured() -> None:
    with pytest.raises(CompileError, match="`tpu` is no device"):
        measurement.measure("tpu")


def test_times_follow_the_machine_and_the_freezing() -> None:
    frozen = two_towers(freeze=(Freeze(selectors=("text", "vision")),))
    steps = {
        (name, kind): plan(spec(model, batch=4096), machine=GPUS[name]).jobs[0].stages[0].speed.step  # type: ignore[union-attr]
        for name in ("h100", "l4")
        for kind, model in (("none", two_towers()), ("both", frozen))
    }
    assert steps["h100", "none"] < steps["l4", "none"]
    assert steps["l4", "both"] < steps["l4", "none"]


def test_a_job_that_does_not_fit_says_what_helps() -> None:
    declared = spec(two_towers(), batch=512)
    job = plan(declared, machine=GPUS["l4"]).jobs[0]
    assert job.fit is not None and job.fit.fits and job.fit.remedies == ()
    small = replace(GPUS["l4"], memory=round(0.6 * job.fit.needed / USABLE))
    planned = plan(declared, machine=small)
    fit = planned.jobs[0].fit
    assert fit is not None and not fit.fits
    parts, again = fit.remedies
    size = int(parts.change.strip("`").removeprefix("micro_batch = "))
    for remedy, change in ((parts, {"micro_batch": size}), (again, {"recompute": "layers"})):
        other = plan(spec(two_towers(), batch=512, **change), machine=small).jobs[0]
        assert other.fit is not None and other.fit.fits and other.fit.needed == remedy.peak
        assert remedy.slowdown is not None and remedy.slowdown >= 1
    first, second, *_ = text_of(planned).splitlines()
    assert first.startswith("base: does not fit")
    assert f"`micro_batch = {size}` would fit" in second
    auto = plan(spec(two_towers(), batch=512, recompute="auto"), machine=small).jobs[0]
    assert auto.recomputes and auto.fit is not None and auto.fit.fits
    assert not plan(spec(two_towers(), recompute="auto"), machine=small).jobs[0].recomputes
    hopeless = plan(declared, machine=replace(small, memory=10**6))
    assert "no micro-batch would" in text_of(hopeless).splitlines()[1]


def test_epochs_need_the_texts() -> None:
    declared = spec(two_towers(), steps=None, epochs=2)
    job = plan(declared, machine=GPUS["l4"]).jobs[0]
    assert job.run.seconds is None and "add --texts N" in job.run.missing
    counted = plan(declared, machine=GPUS["l4"], texts=81).jobs[0]
    assert counted.run.steps == 21 and counted.run.missing == ""


def test_a_precision_that_a_machine_has_not() -> None:
    said = "T4 computes no products in bf16; plan for it with `precision` at `fp16` or `fp32`"
    with pytest.raises(CompileError, match=re.escape(said)):
        plan(spec(two_towers(), precision="bf16"), machine=GPUS["t4"])
