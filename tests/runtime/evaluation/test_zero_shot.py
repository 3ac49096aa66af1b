"""Measuring what was never learned: classes in words, and retrieval, by what was pretrained."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from renaissance.compiler import build
from renaissance.compiler.fusions.dual_encoder.schema import DualEncoder
from renaissance.compiler.step import Objectives
from renaissance.grammar.declaration import Share
from renaissance.grammar.kinds.fusion import FusionBlock
from renaissance.grammar.schema.jobs import Evaluate, Pretrain
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.checkpoints import best_checkpoint
from renaissance.runtime.data import DataError, JobData, job_data
from renaissance.runtime.data.tokenizer import Tokenizer
from renaissance.runtime.evaluation.scoring import score
from renaissance.runtime.evaluation.zero_shot import scoring
from renaissance.runtime.formats.karpathy.schema import KarpathyPairs
from renaissance.runtime.objectives.itc.schema import Itc
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.objectives.mlm.schema import Mlm
from renaissance.runtime.optimizers.adamw.schema import AdamW
from renaissance.runtime.tasks.cifar10.schema import Cifar10
from renaissance.runtime.tasks.classify.schema import Classify
from renaissance.runtime.tasks.retrieval.schema import Retrieval
from renaissance.runtime.weights import restore
from tests.published import write_karpathy
from tests.runs import notices, run_in_two, train
from tests.runtime.tasks.cifar.test_cifar import TEN, write_ten
from tests.tiny import tiny_model

PROMPTS = ("a photo of a {}.", "a small {}")


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A finished run, and where its data are."""

    home: Path
    spec: Spec

    @property
    def folder(self) -> Path:
        return self.home / "run"

    def result(self, job: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / job / "result.json").read_text())
        return found

    def data(self, job: str) -> JobData:
        return job_data(self.spec, job, Tokenizer.load(self.folder / "base/tokenizer.json"))

    def objectives(self) -> Objectives:
        """Return the best weights of the pretraining."""
        model = build(self.spec, job="base")
        found = best_checkpoint(self.folder / "base", frozenset({self.spec.hash}))
        restore(model, found.model, found.state.referenced)
        declared, job = self.spec.model_of("base"), self.spec.training_job("base")
        return Objectives(model, declared, job).eval()


def spec_of(
    home: Path,
    *,
    objectives: tuple[Any, ...],
    fusion: FusionBlock | None = None,
    best: Any = "all",
) -> Spec:
    """Learn from captions for a few steps, and measure by tasks that are not learned."""
    captions = KarpathyPairs(root=str(home / "captions"), max_unreadable=Share(0.3))
    base = Pretrain(
        name="base",
        on="tiny",
        data=("captions",),
        objectives=objectives,
        optimizer=AdamW(lr=5e-3),
        batch=8,
        steps=4,
        validation=Share(0.2),
    )
    classes = Cifar10(root=str(home / "cifar"), prompts=PROMPTS)
    pairs = Retrieval(root=str(home / "captions"), max_unreadable=Share(0.3))
    # Fewer than a file may say, for there are few images.
    pairs = pairs.model_copy(update={"best": best})
    exams = [
        Evaluate(name="classes", of="base", task=classes, write="classes.jsonl"),
        Evaluate(name="by_two", of="base", task=classes, batch=2, write="by_two.jsonl"),
        Evaluate(name="pairs", of="base", task=pairs, write="pairs.npz"),
        Evaluate(name="pairs_by_three", of="base", task=pairs, batch=3, write="three.npz"),
    ]
    tiny = tiny_model(dropout=0.0, text={"vocabulary": 200, "max_tokens": 40})
    if fusion is not None:
        tiny = tiny.model_copy(update={"fusion": fusion})
    return Spec(
        models={"tiny": tiny},
        data={"captions": captions},
        jobs={"base": base, **{exam.name: exam for exam in exams}},
    )


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def run(home: Path, **spec: Any) -> Measured:
    write_karpathy(home / "captions")
    write_ten(home / "cifar")
    found = Measured(home=home, spec=spec_of(home, **spec))
    train(found.spec, found.folder)
    return found


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """A fusion whose head says whether a text and an image belong together."""
    return run(tmp_path_factory.mktemp("joined"), objectives=(Mlm(), Itm()))


def test_each_class_is_asked_for_in_words(joined: Measured) -> None:
    """The scores, written down once more: one text and one image at a time."""
    objectives, data = joined.objectives(), joined.data("classes")
    task = Cifar10(root=str(joined.home / "cifar"), prompts=PROMPTS)
    prompts = [[prompt.format(name) for prompt in PROMPTS] for name in TEN]
    wanted = []
    with torch.no_grad():
        [whole] = data.split("test", 64, 0, 1)
        found = scoring(task, objectives, data, "test", torch.device("cpu"))(whole)
        for batch in data.split("test", 1, 0, 1):
            vision = objectives.encode_images(batch.images)
            odds = []
            for texts in prompts:
                encoded = [objectives.encode_texts(data.texts([text])) for text in texts]
                both = [objectives.score_pairs("itm", text, vision)[0] for text in encoded]
                odds.append(sum(float(one[1] - one[0]) for one in both) / len(both))
            wanted.append(odds)
    torch.testing.assert_close(found.scores, torch.tensor(wanted))
    assert len(found.scores[0].unique()) > 2  # names that the tokenizer knows in part
    lines = lines_of(joined.folder / "classes.jsonl")
    assert [line["probability"] for line in lines] == pytest.approx(
        found.scores.softmax(-1).amax(-1).tolist(), rel=1e-5
    )
    assert lines[0]["id"] == "test_batch/0" and lines[0]["answer"] == TEN[5]


def test_what_is_measured_stands_beside_majority_and_chance(joined: Measured) -> None:
    result = joined.result("classes")
    assert result["rows"] == 9 and {"accuracy", "accuracy@5", "loss"} <= result["metrics"].keys()
    assert result["chance"]["accuracy"] == pytest.approx(0.1)
    assert 0 < result["majority"]["accuracy"] < 1
    low, high = result["intervals"]["accuracy"]
    assert low <= result["metrics"]["accuracy"] <= high
    [said] = [text for text in notices(joined.folder, "classes") if "was learned" in text]
    assert "(10 classes, 2 each), each joined with it, by the head" in said
    task = joined.spec.jobs["classes"].task  # type: ignore[union-attr]
    assert task is not None
    again = score(task, joined.folder / "classes.jsonl", "test").metrics
    assert again["accuracy"] == result["metrics"]["accuracy"]


def test_pairs_are_scored_without_a_head_of_their_own(joined: Measured) -> None:
    scores = np.load(joined.folder / "pairs.npz")
    assert scores["scores"].shape == (6, 31) and np.isfinite(scores["scores"]).all()
    objectives, data = joined.objectives(), joined.data("pairs")
    rows = data.part("test").rows
    with torch.no_grad():
        text, _ = data.plain_texts("test", rows[:1])
        [batch] = data.with_images("test", rows[:1], 1, 0, 1)
        pair = objectives.encode_texts(text), objectives.encode_images(batch.images)
        odds = objectives.score_pairs("itm", *pair)[0]
    assert scores["scores"][0, 0] == pytest.approx(float(odds[1] - odds[0]), rel=1e-4)
    assert {"text_r@1", "image_r@10"} <= joined.result("pairs")["metrics"].keys()


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """Two towers side by side, whose vectors are compared."""
    home = tmp_path_factory.mktemp("compared")
    fusion = DualEncoder(inputs=("text", "vision"), width=12)
    return run(home, objectives=(Itc(),), fusion=fusion)


def unit(vectors: torch.Tensor) -> torch.Tensor:
    return vectors / vectors.norm(dim=-1, keepdim=True)


def test_vectors_of_prompts_are_averaged(compared: Measured) -> None:
    """CLIP's scores, written down once more from towers and projections."""
    objectives, data = compared.objectives(), compared.data("classes")
    model, task = objectives.model, compared.spec.jobs["classes"].task  # type: ignore[union-attr]
    assert task is not None
    text, vision = (model.fusion.projection[name].weight for name in ("text", "vision"))
    classes = []
    with torch.no_grad():
        [whole] = data.split("test", 64, 0, 1)
        found = scoring(task, objectives, data, "test", torch.device("cpu"))(whole)
        for name in TEN:
            texts = [data.texts([prompt.format(name)]) for prompt in PROMPTS]
            tokens = [objectives.encode_texts(one).padded().tokens[0, 0] for one in texts]
            classes.append(unit(unit(torch.stack(tokens) @ text.T).mean(0)))
        images = objectives.encode_images(whole.images).tokens[:, 0]
        cosines = unit(images @ vision.T) @ torch.stack(classes).T
        wanted = model.heads["itc"].logit_scale.exp() * cosines
    torch.testing.assert_close(found.scores, wanted[whole.items["answer"].image])
    said = notices(compared.folder, "classes")
    assert any("by the product of their vectors" in text for text in said)


def test_pairs_are_scored_by_one_product(compared: Measured, tmp_path: Path) -> None:
    scores = np.load(compared.folder / "pairs.npz")["scores"]
    assert scores.shape == (6, 31) and np.isfinite(scores).all()
    said = notices(compared.folder, "pairs")
    assert any("all 186 pairs were scored by the product of vectors" in text for text in said)
    assert_same_scores(compared, compared.folder)
    folder = Path(shutil.copytree(compared.folder, tmp_path / "run"))
    for job in ("by_two", "pairs_by_three"):
        shutil.rmtree(folder / job)
        run_in_two(compared.spec, folder, job)
    assert_same_scores(compared, folder)


def test_vectors_choose_what_is_joined(tmp_path: Path) -> None:
    """The best of a text or an image by product are scored by the head that joins them."""
    best = 3
    found = run(tmp_path, objectives=(Itc(), Itm()), best=best)
    scores = np.load(found.folder / "pairs.npz")["scores"]
    chosen = np.isfinite(scores)
    said = notices(found.folder, "pairs")
    assert any("best 3 of their text or image by the product of their" in text for text in said)
    objectives, data = found.objectives(), found.data("pairs")
    vectors, odds = [], np.zeros_like(scores)
    encoded = []
    with torch.no_grad():
        for row in data.part("test").rows:
            text, _ = data.plain_texts("test", np.array([row]))
            [batch] = data.with_images("test", np.array([row]), 1, 0, 1)
            encoded.append((objectives.encode_texts(text), objectives.encode_images(batch.images)))
            both = objectives.model.vectors(dict(zip(("text", "vision"), encoded[-1], strict=True)))
            vectors.append([objectives.model.heads["itc"].vectors(*one) for one in both.items()])
        entry = data.part("test").table.column("entry").to_numpy()[data.part("test").rows]
        shown = np.flatnonzero(np.diff(entry, prepend=-1))
        for image, text in np.argwhere(chosen):
            pair = objectives.score_pairs("itm", encoded[text][0], encoded[shown[image]][1])[0]
            odds[image, text] = pair[1] - pair[0]
        texts = torch.cat([text for text, _ in vectors])
        product = (torch.cat([vectors[place][1] for place in shown]) @ texts.T).numpy()
    assert scores[chosen] == pytest.approx(odds[chosen], abs=1e-5)
    # Those at the edge may be told apart by last digits.
    of_image = product >= np.sort(product, axis=1)[:, [-best]] - 1e-6
    of_text = product >= np.sort(product, axis=0)[[-best]] - 1e-6
    assert 0 < chosen.sum() < chosen.size and not (chosen & ~(of_image | of_text)).any()
    assert (chosen.sum(axis=1) >= best).all() and (chosen.sum(axis=0) >= best).all()


def test_batches_and_processes_change_nothing(joined: Measured, tmp_path: Path) -> None:
    assert_same_scores(joined, joined.folder)
    folder = Path(shutil.copytree(joined.folder, tmp_path / "run"))
    for job in ("by_two", "pairs_by_three"):
        shutil.rmtree(folder / job)
        run_in_two(joined.spec, folder, job)
    assert_same_scores(joined, folder)


def assert_same_scores(measured: Measured, folder: Path) -> None:
    """Compare small passes, in one process or two, with one large one."""
    lines = map(lines_of, (measured.folder / "classes.jsonl", folder / "by_two.jsonl"))
    for one, other in zip(*lines, strict=True):
        assert one["probability"] == pytest.approx(other.pop("probability"), rel=1e-5)
        del one["best"], other["best"]  # what is unlikely is told apart by last digits
        if one.pop("probability") <= 0.5:  # so are classes of one probability
            del one["prediction"], other["prediction"]
        assert one == other
    whole = np.load(measured.folder / "pairs.npz")["scores"]
    assert np.load(folder / "three.npz")["scores"] == pytest.approx(whole, abs=1e-5)


def test_rows_that_say_more_than_an_image_are_refused(joined: Measured, tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    image = joined.home / "captions/val2014/COCO_val2014_000000001016.jpg"
    lines = [f"{image},what is it,{name}" for name in ("cat", "dog") * 4]
    table.write_text("\n".join(["image,text,label", *lines]), encoding="utf-8")
    task = Classify(train=str(table), test=str(table), classes=2)
    exam = Evaluate(name="exam", of="base", task=task)
    spec = joined.spec.model_copy(update={"jobs": {**joined.spec.jobs, "exam": exam}})
    data = job_data(spec, "exam", Tokenizer.load(joined.folder / "base/tokenizer.json"))
    with pytest.raises(DataError, match="rows of `test` have texts beside their images"):
        scoring(task, joined.objectives(), data, "test", torch.device("cpu"))
    alone = Classify(test=str(table), classes=2, text=None)  # nothing is learned: nothing to read
    exam = Evaluate(name="exam", of="base", task=alone)
    spec = joined.spec.model_copy(update={"jobs": {**joined.spec.jobs, "exam": exam}})
    data = job_data(spec, "exam", Tokenizer.load(joined.folder / "base/tokenizer.json"))
    assert data.answers == ("cat", "dog")
    assert list(alone.splits()) == ["test"]
    score = scoring(alone, joined.objectives(), data, "test", torch.device("cpu"))
    [batch] = data.split("test", 8, 0, 1)
    assert score(batch).scores.shape == (8, 2)
