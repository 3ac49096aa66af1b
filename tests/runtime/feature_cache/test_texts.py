"""Unmasked texts of a frozen tower: kept in pretraining, fine-tuning and evaluation."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from renaissance.compiler import build
from renaissance.compiler.model.inputs import TextInput
from renaissance.compiler.model.packing import Packing
from renaissance.compiler.planning.benefit import COMPUTE_RATES
from renaissance.grammar.schema.model import Freeze
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data import job_data
from renaissance.runtime.feature_cache.grouping import grouped_texts
from renaissance.runtime.feature_cache.identity import feature_key, probe_texts
from renaissance.runtime.feature_cache.known import KnownTexts
from renaissance.runtime.feature_cache.store import FeatureStore
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.objectives.mlm.schema import Mlm
from renaissance.runtime.precision import Precision
from tests.batches import texts_of
from tests.runs import notices, train
from tests.runtime.feature_cache.runs import CPU, counts, first_step, outcome

Make = Callable[..., Spec]


def frozen(make: Make, cache: Any, *streams: str, **changes: Any) -> Spec:
    directive = Freeze(selectors=streams or ("text",), cache=cache)
    return make(freeze=(directive,), **changes)


def losses(folder: Path, spec: Spec) -> dict[Any, dict[str, float]]:
    found = outcome(folder, spec)
    return {key: value[0] for key, value in found.items() if isinstance(key, tuple)}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_features_do_not_depend_on_what_is_encoded_beside(tiny_spec: Make, precision: Any) -> None:
    tower = build(tiny_spec(), job="base").streams["text"].eval()
    lengths = [3, 8, 12, 1, 9, 5, 8, 11, 2, 7, 8]
    ids = torch.randint(64, (sum(lengths),), generator=torch.Generator().manual_seed(0))
    texts = torch.split(ids, lengths)

    def encode(rows: TextInput) -> torch.Tensor:
        # What lets everything through is given as no mask, so that a library has nothing to drop.
        assert rows.mask is None or not rows.mask.all(1).any()
        tokens: torch.Tensor = tower(rows).tokens
        return tokens

    with Precision(precision, CPU.device).forward():
        together = grouped_texts(encode, ids, lengths, 12)
        alone = [grouped_texts(encode, text, [len(text)], 12) for text in texts]
        back = grouped_texts(encode, torch.cat(texts[::-1]), lengths[::-1], 12)
    assert together.dtype == (torch.float32 if precision == "fp32" else torch.bfloat16)
    assert torch.equal(together, torch.cat(alone))
    assert torch.equal(together, torch.cat(torch.split(back, lengths[::-1])[::-1]))
    if precision == "fp32":
        ends = torch.tensor([0, *lengths]).cumsum(0, dtype=torch.int32)
        packed = TextInput(input_ids=ids, packing=Packing(cumulative=ends, longest=12))
        torch.testing.assert_close(together, tower(packed).tokens.detach(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("streams", "changes"),
    [
        (("text",), {}),
        (
            ("text", "vision"),
            {"base": {"precision": "bf16", "workers": 1}, "vqa": {"micro_batch": 5}},
        ),
    ],
    ids=["text", "both, bf16, a worker and micro-batches"],
)
def test_cold_and_warm_are_equal_and_close_to_off(
    tiny_spec: Make, tmp_path: Path, streams: tuple[str, ...], changes: dict[str, Any]
) -> None:
    off, on = (frozen(tiny_spec, cache, *streams, **changes) for cache in (False, True))
    assert off.hash == on.hash
    for name, spec in (("off", off), ("cold", on), ("warm", on)):
        train(spec, tmp_path / name)
    assert outcome(tmp_path / "cold", on) == outcome(tmp_path / "warm", on)
    expected, told = losses(tmp_path / "off", off), losses(tmp_path / "cold", on)
    assert expected.keys() == told.keys() and len(expected) > 10
    tolerance = 1e-4 if not changes else 0.02
    for key, values in expected.items():
        assert told[key] == pytest.approx(values, rel=tolerance)
    for stream in streams:
        assert counts(tmp_path / "cold", "base", stream)[2] > 0
        for job in on.jobs:
            read, anew, kept = counts(tmp_path / "warm", job, stream)
            assert read > 0 and (anew, kept) == (0, 0)


def test_gradients_and_what_is_encoded(tiny_spec: Make) -> None:
    found, encoded = [], []
    for mode in (False, True, True):
        rows: list[int] = []
        with first_step(frozen(tiny_spec, mode, dropout=0.0)) as step:
            batch = step.batch
            assert (batch.texts.cached is not None) == mode
            step.model.streams["text"].register_forward_pre_hook(
                lambda _, inputs, rows=rows: rows.append(
                    inputs[0].packing.rows if inputs[0].packing else len(inputs[0].input_ids)
                )
            )
            found.append(step.backward()[1])
        encoded.append(rows)
    off, cold, warm = found
    assert len(off) > 20 and off.keys() == cold.keys() == warm.keys()
    assert all(torch.equal(cold[name], warm[name]) for name in cold)
    for name in off:
        torch.testing.assert_close(off[name], cold[name], rtol=1e-3, atol=1e-6)
    # Masked and plain texts in one pass; apart; the masked ones alone.
    texts = batch.rows
    assert encoded[0] == [2 * texts] and encoded[2] == [texts]
    assert encoded[1][0] == texts and len(encoded[1]) > 1


def test_a_text_of_several_rows_is_looked_up_once(tiny_spec: Make, tmp_path: Path) -> None:
    (tmp_path / "tower").mkdir()
    store = FeatureStore(tmp_path / "tower", 2, torch.float32)
    data = job_data(tiny_spec(), "vqa")
    data.use_features(None, KnownTexts(store))
    [batch] = next(data.train(0, 0, 1))
    assert batch.texts.encoded is None and batch.texts.cached is not None
    known, place = batch.texts.cached, batch.items["answer"].text
    [plain] = next(job_data(tiny_spec(), "vqa").train(0, 0, 1))
    rows = texts_of(plain)
    texts = {tuple(row.tolist()) for row in rows}
    assert len(known.contents) == len(known.lengths) == len(texts) < len(rows)
    missing = torch.split(known.input_ids, list(known.lengths))
    assert all(torch.equal(missing[i], row) for i, row in zip(place, rows, strict=True))
    store.add(known.contents[:1], torch.ones(known.lengths[0], 2), known.lengths[:1])
    [later] = next(data.train(0, 0, 1))
    assert later.texts.cached is not None
    assert later.texts.cached.contents == known.contents[1:]
    assert torch.equal(later.texts.cached.features, torch.ones(known.lengths[0], 2))
    # What is known stands behind what is not.
    last = len(texts) - 1
    assert torch.equal(later.items["answer"].text == last, place == 0)


def test_masked_texts_alone_keep_nothing(tiny_spec: Make, tmp_path: Path, cache: Path) -> None:
    spec = frozen(tiny_spec, True, base={"objectives": (Mlm(),), "steps": 2})
    train(spec, tmp_path / "run", "base")
    assert "features of `text` are not kept: the job masks its texts at random" in notices(
        tmp_path / "run", "base"
    )
    assert not cache.exists()


def test_matching_alone_runs_no_text_tower_once_all_is_known(
    tiny_spec: Make, tmp_path: Path
) -> None:
    spec = frozen(tiny_spec, True, "vision", "text", base={"objectives": (Itm(),), "steps": 2})
    for name in ("cold", "warm"):
        train(spec, tmp_path / name, "base")
    assert outcome(tmp_path / "cold", spec) == outcome(tmp_path / "warm", spec)
    assert counts(tmp_path / "warm", "base", "text")[1:] == (0, 0)


def test_auto_weighs_texts(
    tiny_spec: Make, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = frozen(tiny_spec, "auto", base={"steps": 4})
    train(spec, tmp_path / "small", "base")
    assert not cache.exists()
    monkeypatch.setitem(COMPUTE_RATES, "cpu", 1e6)
    train(spec, tmp_path / "slow", "base")
    assert any("newly kept" in told for told in notices(tmp_path / "slow", "base"))


def test_what_a_key_depends_on(tiny_spec: Make) -> None:
    tower = build(tiny_spec(), job="base").streams["text"].eval()

    def key() -> str:
        probed = probe_texts(lambda rows: tower(rows).tokens, 64, 12, CPU.device)
        return feature_key(tower, probed)

    first = key()
    assert key() == first
    with torch.autocast("cpu", torch.bfloat16):
        assert key() != first
    with torch.no_grad():
        next(tower.parameters()).view(-1)[0] += 1e-3
    assert key() != first
