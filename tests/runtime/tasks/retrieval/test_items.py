"""Which captions an image is shown with, what chance is worth, and what a head starts from."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from renaissance.compiler import build
from renaissance.compiler.batch import Batch, Candidates, Items
from renaissance.grammar.kinds.registry import facet
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.checkpoint import read_checkpoint
from renaissance.runtime.data import job_data
from renaissance.runtime.formats.easy_vqa.schema import EasyVqaPairs
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.objectives.mlm.schema import Mlm
from renaissance.runtime.optimizers.adamw.schema import AdamW
from renaissance.runtime.tasks.retrieval.schema import Retrieval
from tests.published import write_karpathy
from tests.runs import notices, train
from tests.tiny import tiny_model, write_easy_vqa


def spec_of(root: Path, *, source: Pretrain | None = None, **task: Any) -> Spec:
    learn = Finetune(
        name="learn",
        on="tiny",
        source=None if source is None else source.name,
        task=Retrieval(root=str(root), **task),
        optimizer=AdamW(lr=1e-3),
        batch=6,
        micro_batch=3,
        steps=1,
    )
    jobs = {} if source is None else {source.name: source}
    data = {"pairs": EasyVqaPairs(root=str(root.parent / "easy"))}
    model = tiny_model(text={"vocabulary": 200, "max_tokens": 40})
    return Spec(models={"tiny": model}, data=data, jobs=jobs | {"learn": learn})


def batches(spec: Spec, ranks: int = 1) -> list[Batch]:
    data = job_data(spec, "learn")
    return [batch for rank in range(ranks) for batch in next(data.train(0, rank, ranks))]


def shown(batch: Batch) -> dict[int, list[bytes]]:
    """The texts that each row's image is shown with, as tokens, own one first."""
    items, texts = batch.items["answer"], batch.texts.encoded
    assert items.group is not None and items.row is not None and texts is not None
    ends = texts.cumulative.tolist() if texts.cumulative is not None else []
    ids = [texts.input_ids[a:b].numpy().tobytes() for a, b in pairwise(ends)]
    found: dict[int, list[bytes]] = {}
    for item, text in zip(items.group.item.tolist(), items.text.tolist(), strict=True):
        found.setdefault(int(items.row[item]), []).append(ids[text])
    return found


def test_an_image_is_shown_with_its_caption_and_fifteen_others(tmp_path: Path) -> None:
    spec = spec_of(write_karpathy(tmp_path / "data"))
    data = job_data(spec, "learn")
    tokens, table = data.tokens("train"), data.part("train").table
    entry = table.column("entry").to_numpy()
    every = [tokens.of(row).astype(np.int64).tobytes() for row in range(len(table))]
    for batch in batches(spec):
        items = batch.items["answer"]
        assert items.group is not None and items.group.most == 16 and items.pairs == 3 * 16
        # Each image is there once, and each caption too.
        assert len(batch.images) == len(set(items.image.tolist())) <= 3
        assert items.target is not None and items.target.tolist() == [0, 0, 0]
        for row, texts in shown(batch).items():
            true = {every[other] for other in np.flatnonzero(entry == entry[row]).tolist()}
            assert texts[0] == every[row] and not true & set(texts[1:])


def test_parts_of_a_batch_show_what_the_whole_does(tmp_path: Path) -> None:
    spec = spec_of(write_karpathy(tmp_path / "data"))
    merged = [
        {row: texts for batch in found for row, texts in shown(batch).items()}
        for found in (batches(spec), batches(spec, ranks=2))
    ]
    assert merged[0] == merged[1] and len(merged[0]) == 6


def test_where_captions_are_few_there_are_fewer_candidates(tmp_path: Path) -> None:
    spec = spec_of(write_karpathy(tmp_path / "data"), negatives=60)
    for batch in batches(spec):
        for texts in shown(batch).values():
            # Fifty captions, five of them the image's own; `… and plain.` is true of others too.
            assert 30 < len(texts) <= 46 and len(set(texts)) < 46


def test_the_same_score_everywhere_is_worth_chance() -> None:
    task = Retrieval(root="")
    index = torch.arange(32)
    group = Candidates(item=index // 16, place=index % 16, items=2, most=16)
    items = Items(
        text=index,
        image=index,
        tokens=0,
        target=torch.zeros(2, dtype=torch.int64),
        known=2,
        group=group,
    )
    scores = group.table(torch.zeros(32, 1))
    scored = facet(task, "loss").loss(task, scores, items)
    assert scored.credit is not None and scored.credit.tolist() == [1 / 16] * 2
    assert float(scored.loss) == pytest.approx(2 * np.log(16))
    scores[0, 0], scores[1, 3] = 1.0, 1.0
    credit = facet(task, "loss").loss(task, scores, items).credit
    assert credit is not None and credit.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("learned", [True, False])
def test_the_head_starts_from_the_matching_output_of_itm(tmp_path: Path, learned: bool) -> None:
    write_easy_vqa(tmp_path / "easy")
    base = Pretrain(
        name="base",
        on="tiny",
        data=("pairs",),
        objectives=(Itm() if learned else Mlm(),),
        optimizer=AdamW(lr=1e-3),
        batch=8,
        steps=1,
    )
    spec, folder = spec_of(write_karpathy(tmp_path / "data"), source=base), tmp_path / "run"
    train(spec, folder)
    told = " ".join(notices(folder, "learn"))
    inherited = "the head `answer` starts from output 1 of the head `itm` of job `base`"
    assert (inherited in told) == learned
    assert ("the heads `answer` start from random weights" in told) != learned
    if not learned:
        return
    from renaissance.runtime.training.transfer import start_from

    source = read_checkpoint(folder / "base/checkpoints/step-00000001")
    model = build(spec, job="learn")
    transfer = start_from(model, source, {})
    assert transfer.inherited == {"answer": ("itm", 1)} and transfer.dropped == ()
    own = model.heads.state_dict()
    for name in ("weight", "bias"):
        theirs = source.model[f"heads.itm.dense.{name}"]
        assert torch.equal(own[f"answer.dense.{name}"], theirs[1:])
    assert not torch.equal(own["answer.dense.weight"], source.model["heads.itm.dense.weight"][:1])
