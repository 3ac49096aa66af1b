"""Jobs that read features have the losses, gradients and weights of jobs that compute them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from renaissance.compiler import build
from renaissance.compiler.planning.benefit import COMPUTE_RATES
from renaissance.grammar.schema.model import Freeze
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime import InterruptionError
from renaissance.runtime.data import images as images_module
from renaissance.runtime.data import job_data
from renaissance.runtime.data.streams import image_needs
from renaissance.runtime.feature_cache.identity import feature_key, probe_images
from tests.runs import StopAt, notices, start, train
from tests.runtime.feature_cache.runs import CPU, counts, first_step, outcome

Make = Callable[..., Spec]
Computed = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    """What a job comes to where nothing is kept, each run once."""
    known: dict[object, dict[str, Any]] = {}

    def run(spec: Spec, *only: str) -> dict[str, Any]:
        key = (spec.hash, str(spec.jobs["base"]), only)
        if key not in known:
            folder = tmp_path_factory.mktemp("computed")
            train(spec, folder, *only)
            known[key] = outcome(folder, spec)
        return known[key]

    return run


def frozen(make: Make, cache: bool, limit: float = 1.0, **changes: Any) -> Spec:
    return make(freeze=(Freeze(selectors=("vision",), cache=cache, cache_limit=limit),), **changes)


@pytest.mark.parametrize(
    "changes",
    [{}, {"base": {"precision": "bf16"}, "vqa": {"micro_batch": 5}}, {"base": {"workers": 1}}],
    ids=["plain", "bf16 and micro-batches", "worker"],
)
def test_off_cold_and_warm_are_equal_bit_for_bit(
    tiny_spec: Make, computed: Computed, tmp_path: Path, changes: dict[str, Any]
) -> None:
    off, on = (frozen(tiny_spec, cache, **changes) for cache in (False, True))
    assert off.hash == on.hash
    expected = computed(off)
    for name in ("cold", "warm"):
        train(on, tmp_path / name)
        assert outcome(tmp_path / name, on) == expected
    assert len(expected) > 12
    assert counts(tmp_path / "cold", "base")[2] > 0
    for job in on.jobs:
        read, anew, kept = counts(tmp_path / "warm", job)
        assert read > 0 and (anew, kept) == (0, 0)


def test_gradients_are_equal_bit_for_bit(tiny_spec: Make) -> None:
    found = []
    for mode in (False, True, True):
        with first_step(frozen(tiny_spec, mode, dropout=0.0)) as step:
            assert bool(step.kept) == mode
            scored, gradients = step.backward()
        found.append(gradients)
        assert all(torch.isfinite(part.loss) for part in scored.values())
    off, cold, warm = found
    assert len(off) > 20 and off.keys() == cold.keys() == warm.keys()
    assert all(torch.equal(off[name], cold[name]) for name in off)
    assert all(torch.equal(off[name], warm[name]) for name in off)


def test_images_with_known_features_are_not_decoded(
    tiny_spec: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = frozen(tiny_spec, True)
    train(spec, tmp_path / "cold", "base")
    decoded: list[str] = []
    real = images_module.read_image
    monkeypatch.setattr(
        images_module, "read_image", lambda path, *rest: decoded.append(path) or real(path, *rest)
    )
    train(spec, tmp_path / "warm", "base")
    assert decoded == []


def test_damage_is_found_and_mended(
    tiny_spec: Make, computed: Computed, tmp_path: Path, cache: Path
) -> None:
    off, on = (frozen(tiny_spec, mode) for mode in (False, True))
    expected = computed(off, "base")
    train(on, tmp_path / "cold", "base")
    [shard] = cache.glob("*/*.features")
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    for name, mended in (("mended", 1), ("warm", 0)):
        train(on, tmp_path / name, "base")
        assert outcome(tmp_path / name, on) == expected
        assert counts(tmp_path / name, "base")[2] == mended


def test_features_of_another_tower_are_not_read(
    tiny_spec: Make, computed: Computed, tmp_path: Path
) -> None:
    changes: list[dict[str, Any]] = [{"seed": 0}, {"seed": 1}, {"seed": 0, "precision": "bf16"}]
    for number, change in enumerate(changes):
        off, on = (frozen(tiny_spec, mode, base=change) for mode in (False, True))
        expected = computed(off, "base")
        train(on, tmp_path / f"on{number}", "base")
        assert outcome(tmp_path / f"on{number}", on) == expected
        assert counts(tmp_path / f"on{number}", "base")[2] > 0


def test_what_a_key_depends_on(tiny_spec: Make) -> None:
    spec = tiny_spec()
    tower = build(spec, job="base").streams["vision"].eval()
    needs = image_needs(spec.models["tiny"])

    def key(**changes: Any) -> str:
        own = type(needs)(**{name: getattr(needs, name) for name in needs.__slots__} | changes)
        probed = probe_images(lambda x: tower(x).tokens, (16, 16), CPU.device)
        return feature_key(tower, probed, own.origin)

    first = key()
    assert key() == first
    assert len({first, key(resize="squash"), key(mean=(0.1, 0.2, 0.3)), key(std=(1, 1, 1))}) == 4
    with torch.autocast("cpu", torch.bfloat16):
        assert key() != first
    weight = next(tower.parameters())
    with torch.no_grad():
        weight.view(-1)[0] += 1e-3
    assert key() != first
    with torch.no_grad():
        weight.view(-1)[0] -= 1e-3
    # The same weights, another function.
    other = build(
        spec.model_copy(
            update={
                "models": {
                    "tiny": spec.models["tiny"].model_copy(
                        update={
                            "streams": {
                                **spec.models["tiny"].streams,
                                "vision": spec.models["tiny"]
                                .streams["vision"]
                                .model_copy(update={"heads": 4}),
                            }
                        }
                    )
                }
            }
        ),
        job="base",
    ).streams["vision"]
    other.eval().load_state_dict(tower.state_dict())
    first = key()
    probed = probe_images(lambda x: other(x).tokens, (16, 16), CPU.device)
    assert feature_key(other, probed, needs.origin) != first


def test_stopped_in_the_first_epoch(tiny_spec: Make, computed: Computed, tmp_path: Path) -> None:
    base = {"batch": 4, "steps": 8, "checkpoint_every": 8, "validate_every": 8}
    off, on = (frozen(tiny_spec, mode, base=base) for mode in (False, True))
    expected = computed(off, "base")
    with pytest.raises(InterruptionError):
        train(on, tmp_path / "on", "base", observer=StopAt(2))
    train(on, tmp_path / "on", "base")
    whole, parts = expected, outcome(tmp_path / "on", on)
    last = [name for name in whole if "step-00000008" in str(name)]
    assert len(last) == 2 and all(whole[name] == parts[name] for name in last)
    read, anew, _ = counts(tmp_path / "on", "base")
    assert read > 0 and anew > 0


def test_more_images_than_the_limit(
    tiny_spec: Make, computed: Computed, tmp_path: Path, cache: Path
) -> None:
    limit = 2000 / 1024**3
    off, on = frozen(tiny_spec, False), frozen(tiny_spec, True, limit)
    expected = computed(off, "base")
    for name in ("cold", "warm"):
        train(on, tmp_path / name, "base")
        assert outcome(tmp_path / name, on) == expected
        told = notices(tmp_path / name, "base")
        assert sum("`cache_limit` is reached" in text for text in told) == 1
    assert sum(path.stat().st_size for path in cache.glob("**/*") if path.is_file()) <= 2000
    read, anew, kept = counts(tmp_path / "warm", "base")
    assert read > 0 and anew > 0 and kept == 0


def test_a_folder_that_cannot_be_made(
    tiny_spec: Make, computed: Computed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    off, on = (frozen(tiny_spec, mode) for mode in (False, True))
    expected = computed(off, "base")
    train(on, tmp_path / "on", "base")
    assert outcome(tmp_path / "on", on) == expected
    told, stayed = notices(tmp_path / "on", "base")
    assert "features of `vision` are not kept" in told and str(tmp_path / "file") in told
    assert "frozen tensors are what they were" in stayed


def test_two_runs_at_once(tiny_spec: Make, computed: Computed, tmp_path: Path) -> None:
    off, on = (frozen(tiny_spec, mode) for mode in (False, True))
    expected = computed(off, "base")
    both = [start(on, tmp_path / name, "base") for name in ("one", "two")]
    for process in both:
        process.join(120)
    assert [process.exitcode for process in both] == [0, 0]
    for name in ("one", "two"):
        assert outcome(tmp_path / name, on) == expected


def test_random_changes_of_images_keep_nothing(
    tiny_spec: Make, computed: Computed, tmp_path: Path, cache: Path
) -> None:
    changed = {"base": {"augment": "randaugment"}}
    off, on = (frozen(tiny_spec, mode, **changed) for mode in (False, True))
    expected = computed(off, "base")
    train(on, tmp_path / "on", "base")
    assert outcome(tmp_path / "on", on) == expected
    told = notices(tmp_path / "on", "base")
    assert any("changes its images at random" in text for text in told)
    assert not cache.exists()


def test_auto_computes_what_costs_less_than_reading(
    tiny_spec: Make, tmp_path: Path, cache: Path
) -> None:
    spec = tiny_spec(freeze=(Freeze(selectors=("vision",)),))
    train(spec, tmp_path / "run", "base")
    assert not cache.exists()
    [batch] = next(job_data(spec, "base").train(0, 0, 1))
    assert isinstance(batch.images, torch.Tensor)


def test_auto_keeps_what_costs_more_than_reading(
    tiny_spec: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(COMPUTE_RATES, "cpu", 1e6)
    for limit, word in ((1.0, "newly kept"), (1e-7, "more than `cache_limit")):
        directive = Freeze(selectors=("vision",), cache_limit=limit)
        spec = tiny_spec(freeze=(directive,), base={"steps": 3})
        train(spec, tmp_path / str(limit), "base")
        told = notices(tmp_path / str(limit), "base")
        assert any(word in text for text in told)
