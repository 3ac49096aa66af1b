"""The data of a whole job: the same rows for any number of processes, workers and resumptions."""

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import torch

from renaissance.compiler.batch import Batch
from renaissance.grammar.declaration import Share
from renaissance.grammar.kinds.head import UNKNOWN
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.augmentations.flip.schema import Flip
from renaissance.runtime.augmentations.randaugment.schema import RandAugment
from renaissance.runtime.augmentations.random_crop.schema import RandomCrop
from renaissance.runtime.data import (
    DataError,
    JobData,
    job_data,
)
from renaissance.runtime.formats.image_caption.schema import ImageCaption
from renaissance.runtime.formats.nlvr.schema import NlvrPairs
from renaissance.runtime.objectives.itc.schema import Itc
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.objectives.mlm.schema import Mlm
from renaissance.runtime.optimizers.adamw.schema import AdamW
from tests.batches import encoded, texts_of

MakeSpec = Callable[..., Spec]


def flat(record: Any) -> list[torch.Tensor]:
    """Return all tensors and numbers of a batch, as tensors."""
    if isinstance(record, torch.Tensor | int):
        return [torch.as_tensor(record)]
    if isinstance(record, dict | tuple):
        values: Iterable[Any] = record.values() if isinstance(record, dict) else record
    else:
        values = (getattr(record, field.name) for field in fields(record))
    return [tensor for value in values if value is not None for tensor in flat(value)]


def digest(batches: Iterable[Any]) -> str:
    """Return a hash of everything in some micro-batches."""
    state = hashlib.sha256()
    for batch in batches:
        for tensor in flat(batch):
            state.update(repr((tensor.dtype, tuple(tensor.shape))).encode())
            state.update(tensor.contiguous().numpy().tobytes())
    return state.hexdigest()


def rows_of(batches: Iterable[Batch]) -> list[tuple[object, ...]]:
    """Return what each text of some batches looks like, whatever it is batched with."""
    rows: list[tuple[object, ...]] = []
    for batch in batches:
        masked, matching = batch.items["mlm"], batch.items["itm"]
        texts, images = texts_of(batch), [image.numpy().tobytes() for image in batch.images]
        # Masked texts stand in front of the plain ones.
        assert masked.text.tolist() == list(range(batch.rows))
        ends = encoded(batch).cumulative.tolist()
        hidden = dict(zip(masked.positions.tolist(), masked.target.tolist(), strict=True))
        for row in range(batch.rows):
            plain = row + batch.rows
            pairs = [
                (images[image], label)
                for image, of, label in zip(
                    matching.image.tolist(),
                    matching.text.tolist(),
                    matching.target.tolist(),
                    strict=True,
                )
                if of == plain
            ]
            rows.append(
                (
                    images[masked.image[row]],
                    tuple(texts[plain].tolist()),
                    tuple(texts[row].tolist()),
                    tuple(hidden.get(place) for place in range(ends[row], ends[row + 1])),
                    tuple(pairs),
                )
            )
    return rows


def steps(data: JobData, first: int = 0, rank: int = 0, ranks: int = 1) -> list[tuple[Any, ...]]:
    return list(data.train(first, rank, ranks))


def test_what_a_pretraining_batch_holds(pretraining: MakeSpec) -> None:
    data = job_data(pretraining(texts_per_image=2, objectives=(Mlm(), Itm(negatives=2))), "base")
    assert data.answers == ()
    seen: Counter[tuple[int, ...]] = Counter()
    for (batch,) in steps(data):
        rows, text = batch.rows, encoded(batch)
        assert rows == 16
        assert batch.images.dtype == torch.uint8 and batch.images.shape[1:] == (3, 8, 8)
        assert len(torch.unique(batch.images.flatten(1), dim=0)) == len(batch.images)
        assert text.input_ids.dtype == torch.int64 and text.cumulative.dtype == torch.int32
        lengths = text.cumulative.diff()
        assert len(lengths) == 2 * rows and int(lengths.sum()) == text.tokens
        assert int(lengths.max()) == text.longest <= 16
        assert (text.input_ids != data.tokenizer.pad_id).all()
        assert torch.equal(lengths[:rows], lengths[rows:])
        masked, matching = batch.items["mlm"], batch.items["itm"]
        assert matching.tokens == int(lengths[matching.text].sum())
        assert matching.target.tolist() == [1] * rows + [0] * 2 * rows
        own = masked.image[matching.text - rows]
        assert torch.equal((own == matching.image).long(), matching.target)
        changed, plain = text.input_ids.tensor_split([text.tokens // 2])
        assert torch.equal(plain[masked.positions], masked.target)
        assert (masked.known, matching.known) == (len(masked.target), 3 * rows)
        of_text = torch.bucketize(masked.positions, text.cumulative, right=True)
        assert len(torch.unique(of_text)) == rows
        unmasked = torch.ones(len(plain), dtype=torch.bool)
        unmasked[masked.positions] = False
        assert torch.equal(changed[unmasked], plain[unmasked])
        seen.update(tuple(ids.tolist()) for ids in texts_of(batch)[rows:])
    assert data.total_steps == -(-2 * len(data.part("train")) // 16)
    assert sum(seen.values()) == data.total_steps * 16


@pytest.mark.parametrize("objective", [Mlm(), Itm()])
def test_one_objective_alone(pretraining: MakeSpec, objective: Mlm | Itm) -> None:
    (batch,) = next(job_data(pretraining(objectives=(objective,)), "base").train(0, 0, 1))
    assert list(batch.items) == [objective.objective]
    assert len(texts_of(batch)) == batch.rows
    if isinstance(objective, Mlm):
        assert sorted(set(batch.items["mlm"].image.tolist())) == list(range(len(batch.images)))


@pytest.mark.parametrize(
    ("draw", "texts_per_image", "damage"),
    [("batch", 1, False), ("batch", 3, True), ("data", 1, True)],
)
def test_ranks_and_micro_batches_see_the_same_rows(
    pretraining: MakeSpec, captions: Path, draw: str, texts_per_image: int, damage: bool
) -> None:
    keys: dict[str, Any] = {
        "objectives": (Mlm(), Itm(draw=draw)),
        "texts_per_image": texts_per_image,
        "epochs": 1,
        "max_unreadable": Share(0.5),
    }
    if damage:
        for number in (0, 1, 5, 17, 39):
            (captions.parent / "images" / f"{number}.png").write_text("no image")
    one = steps(job_data(pretraining(**keys), "base"))
    cut = steps(job_data(pretraining(**keys, micro_batch=3), "base"))
    ranks = [steps(job_data(pretraining(**keys, micro_batch=5), "base"), 0, r, 2) for r in range(2)]
    for step, (whole, small) in enumerate(zip(one, cut, strict=True)):
        expected = rows_of(whole)
        assert len(small) == 6 and sorted(rows_of(small)) == sorted(expected)
        assert [len(rank[step]) for rank in ranks] == [2, 2]
        both = rows_of(ranks[0][step]) + rows_of(ranks[1][step])
        assert sorted(both) == sorted(expected)


def test_workers_change_nothing(pretraining: MakeSpec, captions: Path) -> None:
    (captions.parent / "images" / "4.png").write_text("no image")
    outcomes = []
    for workers in (0, 2):
        keys = {"workers": workers, "epochs": 4, "max_unreadable": Share(0.1)}
        data = job_data(pretraining(**keys), "base")
        state = torch.get_rng_state()
        train = digest(batch for step in data.train(0, 0, 1) for batch in step)
        outcomes.append((train, digest(data.validation(0, 1)), data.unreadable))
        assert torch.equal(torch.get_rng_state(), state)
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][2] == ((str(captions.parent / "images" / "4.png"), "not an image"),)


def test_a_resumed_run_sees_the_rest(pretraining: MakeSpec) -> None:
    whole = [digest(step) for step in steps(job_data(pretraining(), "base"))]
    assert len(set(whole)) == len(whole) > 6
    for first in (1, 5, len(whole)):
        assert [digest(s) for s in steps(job_data(pretraining(), "base"), first)] == whole[first:]


def test_the_seed_changes_order_masks_and_negatives(pretraining: MakeSpec) -> None:
    first, second = (
        rows_of(next(job_data(pretraining(seed=seed), "base").train(0, 0, 1))) for seed in (3, 4)
    )
    assert {row[1] for row in first} != {row[1] for row in second}


def test_nothing_depends_on_the_hash_seed(
    pretraining: MakeSpec, capfd: pytest.CaptureFixture[str]
) -> None:
    text = pretraining().to_json()
    print_digest(text)
    here = capfd.readouterr().out
    again = subprocess.run(
        [
            sys.executable,
            "-c",
            f"{Path(__file__).read_text('utf-8')}\nprint_digest(sys.stdin.read())",
        ],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    assert again.stdout == here
    assert len(here) == 65


def print_digest(text: str) -> None:
    """Print a hash of everything that a run of `base` would see."""
    print(
        digest(
            batch
            for step in steps(job_data(Spec.model_validate_json(text), "base"))
            for batch in step
        )
    )


def test_training_and_validation_share_no_image(pretraining: MakeSpec) -> None:
    spec = pretraining(validation=Share(0.25))
    data = job_data(spec, "base")
    train, validation = data.part("train"), data.part("validation")
    assert len(validation.images) == 10
    assert set(train.images.tolist()).isdisjoint(validation.images.tolist())
    assert len(train) + len(validation) == len(train.table)
    shown = {
        image.numpy().tobytes() for step in data.train(0, 0, 1) for b in step for image in b.images
    }
    held = {image.numpy().tobytes() for b in data.validation(0, 1) for image in b.images}
    assert len(held) == 10 and shown.isdisjoint(held)


def test_validation_is_fixed_whatever_the_batch_and_ranks(pretraining: MakeSpec) -> None:
    keys = {"validation": Share(0.3)}
    data = job_data(pretraining(**keys), "base")
    once = rows_of(data.validation(0, 1))
    assert len(once) == len(data.part("validation"))
    assert rows_of(data.validation(0, 1)) == once
    other = job_data(pretraining(**keys, batch=32, micro_batch=4), "base")
    assert rows_of(other.validation(0, 1)) == once
    shared = [row for rank in range(3) for row in rows_of(other.validation(rank, 3))]
    assert sorted(shared) == sorted(once)


def test_unreadable_images_are_replaced_in_training(pretraining: MakeSpec, captions: Path) -> None:
    bad = captions.parent / "images" / "11.png"
    bad.write_bytes(b"")
    spec = pretraining(max_unreadable=Share(0.05), validation=Share(0.0), epochs=1)
    data = job_data(spec, "base")
    batches = steps(data)
    assert all(batch.rows == 16 for step in batches for batch in step)
    assert data.unreadable == ((str(bad), "not an image"),)
    assert list(data.validation(0, 1)) == []


def test_too_many_unreadable_images_stop_training(pretraining: MakeSpec, captions: Path) -> None:
    for path in (captions.parent / "images").iterdir():
        path.unlink()
    for workers in (0, 1):
        data = job_data(pretraining(workers=workers), "base")
        with pytest.raises(DataError, match="more than 1% of the 40 images of `pairs`") as error:
            next(data.train(0, 0, 1))
        assert "\n" not in str(error.value)


def test_several_tables_are_put_together(
    captions: Path, model: Any, draw_images: Callable[[Path, int], list[Path]]
) -> None:
    draw_images(captions.parent / "more", 5)
    more = captions.parent / "more.csv"
    more.write_text("image,caption\n" + "".join(f"more/{n}.png,more of it\n" for n in range(5)))
    blocks = {name: ImageCaption(table=str(path)) for name, path in (("a", captions), ("b", more))}
    job = Pretrain(
        name="base",
        on="tiny",
        data=("b", "a"),
        objectives=(Itm(),),
        batch=4,
        steps=3,
        optimizer=AdamW(lr=1e-3),
        validation=Share(0.0),
    )
    data = job_data(Spec(models={"tiny": model}, data=blocks, jobs={"base": job}), "base")
    assert len(data.part("train").images) == 45
    assert data.sample("train", 4).text == "more of it"
    assert data.sample("train", 5).image_path == str(captions.parent / "images" / "0.png")
    assert len(steps(data)) == data.total_steps == 3


def test_what_a_task_batch_holds(finetuning: MakeSpec) -> None:
    data = job_data(finetuning(texts_per_image=1), "learn")
    assert data.answers == ("false", "true")
    assert (data.steps_per_epoch, data.total_steps) == (6, 12)
    seen: Counter[int] = Counter()
    for (batch,) in steps(data):
        answer = batch.items["answer"]
        for label, sample in zip(answer.target.tolist(), answer.row.tolist(), strict=True):
            assert data.answers[label] == data.sample("train", sample).answer
        seen.update(answer.row.tolist())
    assert set(seen.values()) == {2} and len(seen) == 72


@pytest.mark.parametrize("ranks", [1, 2])
def test_an_evaluation_sees_every_text_once(finetuning: MakeSpec, ranks: int) -> None:
    data = job_data(finetuning(), "measure")
    batches = [b for rank in range(ranks) for b in data.split("test", 5, rank, ranks)]
    samples = [s for b in batches for s in b.items["answer"].row.tolist()]
    assert sorted(samples) == list(range(18))
    assert max(b.rows for b in batches) <= 5
    assert len({s for b in data.validation(0, 1) for s in b.items["answer"].row.tolist()}) == 18
    sample = data.sample("test", 7)
    assert sample.image_path.endswith("test-0-1-1.png")
    assert (sample.text, sample.answer) == ("There is a tower with 0 blocks.", "true")


def test_an_evaluation_leaves_unreadable_images_out(
    finetuning: MakeSpec, nlvr_folder: Path
) -> None:
    bad = nlvr_folder / "test" / "images" / "4" / "test-0-1-2.png"
    bad.write_text("no image")
    data = job_data(finetuning(task={"max_unreadable": Share(0.1)}), "measure")
    samples = [s for b in data.split("test", 1, 0, 1) for s in b.items["answer"].row.tolist()]
    assert sorted(samples) == [number for number in range(18) if number != 8]
    assert data.unreadable == ((str(bad), "not an image"),)


def test_held_out_sentences(finetuning: MakeSpec) -> None:
    data = job_data(finetuning(task={"validation": Share(0.34)}), "learn")
    train, validation = data.part("train"), data.part("validation")
    assert (len(train), len(validation)) == (48, 24)
    assert set(train.texts).isdisjoint(validation.texts)
    assert len(data.part("dev")) == 18


def test_an_answer_that_training_never_saw(finetuning: MakeSpec, nlvr_folder: Path) -> None:
    file = nlvr_folder / "train" / "train.json"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    file.write_text("".join(json.dumps({**line, "label": "true"}) + "\n" for line in lines))
    data = job_data(finetuning(), "measure")
    assert data.answers == ("true",)
    assert data.impossible("test") == 12
    assert data.impossible("train") == 0
    labels = [
        label for b in data.split("test", 18, 0, 1) for label in b.items["answer"].target.tolist()
    ]
    assert labels == [UNKNOWN] * 6 + [0] * 6 + [UNKNOWN] * 6


def test_pretraining_leaves_out_what_a_later_job_selects_by(
    finetuning: MakeSpec, nlvr_folder: Path
) -> None:
    spec = finetuning(task={"validation": Share(0.34)}, source="base")
    keys: dict[str, Any] = {
        "objectives": (Itm(),),
        "batch": 8,
        "epochs": 1,
        "validation": Share(0.0),
    }
    job = Pretrain(name="base", on="tiny", data=("all",), optimizer=AdamW(lr=1e-3), **keys)
    pairs = NlvrPairs(root=str(nlvr_folder))
    spec = spec.model_copy(update={"data": {"all": pairs}, "jobs": {**spec.jobs, "base": job}})
    selects = job_data(spec, "learn").part("validation")
    train = job_data(spec, "base").part("train")
    held = {selects.table.path(image) for image in selects.images.tolist()}
    learned = {train.table.path(image) for image in train.images.tolist()}
    assert len(held) == 24 and held.isdisjoint(learned)
    assert (len(train), train.withheld) == (24, 12)
    everything = {"all": pairs.model_copy(update={"split": "dev"})}
    task = spec.jobs["learn"].task.model_copy(update={"validation": "dev"})
    learn = spec.jobs["learn"].model_copy(update={"task": task})
    spec = spec.model_copy(update={"data": everything, "jobs": {**spec.jobs, "learn": learn}})
    with pytest.raises(DataError, match="no image is left for `base` to learn from"):
        job_data(spec, "base")


def test_the_vocabulary_comes_from_the_first_job(
    pretraining: MakeSpec, finetuning: MakeSpec
) -> None:
    first, second = pretraining(), finetuning()
    later = second.jobs["learn"].model_copy(update={"source": "base"})
    spec = Spec(models=first.models, data=first.data, jobs={**first.jobs, "learn": later})
    tokens = [
        [data.tokenizer.token(n) for n in range(data.tokenizer.vocabulary)]
        for data in (job_data(spec, "base"), job_data(spec, "learn"), job_data(second, "learn"))
    ]
    assert tokens[0] == tokens[1] != tokens[2]
    given = job_data(second, "learn", job_data(spec, "base").tokenizer)
    assert given.tokenizer.vocabulary == len(tokens[0])


def test_mistakes_are_one_sentence(pretraining: MakeSpec, finetuning: MakeSpec) -> None:
    learn, base = job_data(finetuning(), "learn"), job_data(pretraining(batch=4), "base")
    for mistake, expected in (
        (lambda: learn.part("tset"), "no folder `.*tset`; it holds dev, test, train"),
        (lambda: base.part("test"), "pretraining has no split `test`; it has train, validation"),
        (lambda: base.train(0, 0, 5), "has 4 texts a step, too few for 5 processes"),
    ):
        with pytest.raises(DataError, match=expected):
            mistake()


@pytest.mark.parametrize("augment", ["randaugment", (RandomCrop(), Flip(), RandAugment())])
def test_augmented_images_are_the_same_on_every_rank(pretraining: MakeSpec, augment: Any) -> None:
    keys: dict[str, Any] = {"augment": augment, "steps": 2, "epochs": None}
    plain = rows_of(steps(job_data(pretraining(steps=2, epochs=None), "base"))[1])
    one = rows_of(steps(job_data(pretraining(**keys), "base"))[1])
    ranks = [rows_of(steps(job_data(pretraining(**keys), "base"), 0, r, 2)[1]) for r in range(2)]
    assert ranks[0] + ranks[1] == one
    parts = rows_of(steps(job_data(pretraining(**keys, micro_batch=3), "base"))[1])
    assert sorted(parts) == sorted(one)
    assert [row[1:4] for row in one] == [row[1:4] for row in plain]
    assert sum(a[0] != b[0] for a, b in zip(one, plain, strict=True)) > 8


def test_a_text_without_a_readable_other_image_has_its_own(
    pretraining: MakeSpec, captions: Path
) -> None:
    lines = captions.read_text().splitlines()[:2]
    captions.write_text("\n".join(lines))
    (captions.parent / "images" / "0.png").unlink()
    keys = {"validation": Share(0.0), "max_unreadable": Share(0.5), "batch": 6}
    (batch,) = next(job_data(pretraining(**keys), "base").train(0, 0, 1))
    assert len(batch.images) == 1
    assert batch.items["itm"].target.tolist() == [1] * 6


@pytest.mark.parametrize(
    ("rows", "one"),
    [("0.png,x 0.png,y", "image"), ("0.png,x copy.png,y", "image"), ("0.png,x 1.png,X", "text")],
)
@pytest.mark.parametrize("objective", [Itm(), Itc()])
def test_comparing_needs_two_that_differ(
    pretraining: MakeSpec, captions: Path, objective: Itm | Itc, rows: str, one: str
) -> None:
    images = captions.parent / "images"
    (images / "copy.png").write_bytes((images / "0.png").read_bytes())
    lines = ["image,caption", *(f"images/{row}" for row in rows.split())]
    (captions.parent / "one.csv").write_text("\n".join(lines))
    keys = {"table": captions.parent / "one.csv", "validation": Share(0.0)}
    data = job_data(pretraining(**keys, objectives=(objective,)), "base")
    said = f"`pairs` has one {one} only.*`{objective.word()}` needs two that differ"
    with pytest.raises(DataError, match=said):
        next(data.train(0, 0, 1))


def test_nothing_touches_the_network(
    pretraining: MakeSpec, finetuning: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr("socket.socket.connect", refuse)
    assert steps(job_data(pretraining(), "base"))
    assert list(job_data(finetuning(), "measure").split("test", 4, 0, 1))


def test_easy_vqa_as_installed(model: Any) -> None:
    from renaissance.runtime.tasks.easy_vqa.schema import EasyVqa

    job = Finetune(
        name="learn",
        on="tiny",
        task=EasyVqa(),
        batch=64,
        epochs=1,
        texts_per_image=8,
        optimizer=AdamW(lr=1e-3),
    )
    data = job_data(Spec(models={"tiny": model}, jobs={"learn": job}), "learn")
    assert len(data.answers) == 13
    assert len(data.part("train")) + len(data.part("validation")) == 38575
    assert len(data.part("validation").images) == 200
    assert len(data.part("test")) == 9673 and data.impossible("test") == 0
    (batch,) = next(data.train(0, 0, 1))
    assert len(batch.images) < 20 and batch.rows == 64
    assert batch.images.dtype == torch.uint8 and batch.images.max() > 200
