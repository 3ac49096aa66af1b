"""A trained model answers rows as its evaluation does, whatever stands beside them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from renaissance.cli import main
from renaissance.compiler import build
from renaissance.compiler.model.adapter import AdaptedLinear
from renaissance.grammar.schema.jobs import Evaluate
from renaissance.grammar.schema.model import Adapt, Freeze
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.errors import JobError, UsageError
from renaissance.runtime.predicting.answering import Predicted
from renaissance.runtime.predicting.trained import load_run
from tests.runs import train
from tests.tiny import tiny_experiment, write_easy_vqa

ROWS = [
    {"text": "what color is the picture?", "image": "test/images/0.png"},
    {"text": "is the picture red?", "image": "test/images/1.png"},
    {"text": "is there no blue at all?", "image": "test/images/1.png"},
]


def with_exam(spec: Spec) -> Spec:
    exam = Evaluate(name="exam", of="vqa", batch=16, write="exam.jsonl")
    return spec.model_copy(update={"jobs": {**spec.jobs, "exam": exam}})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run beside its data: adapters, and an average of the weights."""
    home = tmp_path_factory.mktemp("run")
    root = write_easy_vqa(home / "vqa", train=8, test=6)
    spec = tiny_experiment(
        root,
        layers=1,
        freeze=(Freeze(selectors=("text", "vision")),),
        adapt=(Adapt(selectors=("text", "vision"), rank=2),),
        base={"steps": 3},
        vqa={"steps": 12, "average": 0.5},
    )
    train(with_exam(spec), home / "run")
    shutil.rmtree(root / "train")  # nothing of what was learned from is needed
    return home


def close(one: list[Predicted], other: list[Predicted]) -> None:
    assert [row.prediction for row in one] == [row.prediction for row in other]
    for mine, theirs in zip(one, other, strict=True):
        assert mine.probability == pytest.approx(theirs.probability, abs=1e-6)


def test_it_says_what_the_evaluation_said(run: Path) -> None:
    lines = [json.loads(line) for line in (run / "run/exam.jsonl").read_text().splitlines()]
    trained = load_run(run / "run", "exam", device="cpu")
    assert trained.job == "vqa" and trained.answers == ("blue", "gray", "green", "no", "red", "yes")
    found = trained.predict([{"text": line["text"], "image": line["image"]} for line in lines])
    assert [one.prediction for one in found] == [line["prediction"] for line in lines]
    for one, line in zip(found, lines, strict=True):
        assert one.probability == pytest.approx(line["probability"], abs=1e-6)


def test_neither_the_batch_nor_other_rows_count(run: Path) -> None:
    trained = load_run(run / "run", device="cpu")
    root = run / "vqa"
    whole = trained.predict(ROWS, root=root)
    close(whole, trained.predict(ROWS, root=root, batch=1))
    close(whole[::-1], trained.predict(ROWS[::-1], root=root, batch=2))
    close(whole[1:2], trained.predict(ROWS[1:2], root=root))


def test_merged_adapters_say_the_same(run: Path) -> None:
    plain, merged = load_run(run / "run"), load_run(run / "run", merge=True)
    assert any(isinstance(part, AdaptedLinear) for part in plain.model.modules())
    assert not any(isinstance(part, AdaptedLinear) for part in merged.model.modules())
    close(plain.predict(ROWS, root=run / "vqa"), merged.predict(ROWS, root=run / "vqa"))


def test_merged_weights_are_those_of_the_model_without_adapters(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new/vqa.safetensors"
    assert main(["compile", f"{run / 'run'}:vqa", "--merged", "-o", str(out)]) == 0
    assert capsys.readouterr().out.endswith(f", to {out}\n")
    merged = load_run(run / "run", merge=True, device="cpu")
    spec = merged.spec.model_copy(
        update={
            "models": {
                name: model.model_copy(update={"adapt": ()})
                for name, model in merged.spec.models.items()
            }
        }
    )
    model = build(spec, job="vqa")
    model.load_state_dict(load_file(out))
    given = merged.inputs(ROWS, root=run / "vqa")
    with torch.no_grad():
        found, wanted = model.eval()(**given), merged.model(**given)
    torch.testing.assert_close(found.pooled, wanted.pooled, rtol=1e-5, atol=1e-6)


def test_merged_weights_go_to_a_file_of_their_suffix(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compile", str(run / "run"), "--merged", "-o", str(tmp_path / "weights")]) == 2
    assert "has another suffix than `.safetensors`" in capsys.readouterr().err
    arguments = ["compile", str(run / "run"), "--merged", "--set", "base.batch=2"]
    assert main([*arguments, "-o", str(tmp_path / "x.safetensors")]) == 2
    assert "leave `--set` and `--for` out" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


def test_the_average_or_the_last_weights(run: Path) -> None:
    usual, average, last = (
        load_run(run / "run", weights=weights).predict(ROWS, root=run / "vqa")
        for weights in (None, "average", "last")
    )
    assert usual == average != last
    assert load_run(run / "run").weights == "average"
    with pytest.raises(UsageError, match="job `base` kept no average"):
        load_run(run / "run", "base", weights="average")


def test_images_of_every_kind(run: Path) -> None:
    trained = load_run(run / "run")
    path = run / "vqa/test/images/0.png"
    with Image.open(path) as image:
        rows: list[dict[str, Any]] = [
            {"text": "is it red?", "image": given}
            for given in (path, str(path), path.read_bytes(), image)
        ]
        found = trained.predict(rows)
    close(found, [found[0]] * 4)


def test_rows_that_cannot_be_answered_say_why(run: Path) -> None:
    found = load_run(run / "run").predict(
        [
            {"text": "a", "image": "missing.png"},
            {"text": "a"},
            {"text": 3, "image": "b.png"},
            {"text": " ", "image": "b.png"},
            {"text": "a", "image": 3},
            ROWS[0],
        ],
        root=run / "vqa",
    )
    assert [one.problem for one in found] == [
        f"`{run / 'vqa/missing.png'}`: missing",
        "it has no `image`; it has `text`",
        "`text` is `3`, not text",
        "`text` is empty",
        "`image` is a `int` and no path, bytes of a file or image of Pillow",
        None,
    ]
    assert [one.prediction is None for one in found] == [True] * 5 + [False]
    assert load_run(run / "run").predict([]) == []


def test_inputs_are_what_the_model_takes(run: Path) -> None:
    trained = load_run(run / "run")
    inputs = trained.inputs(ROWS, root=run / "vqa")
    pooled = trained.model(**inputs).pooled
    scores = trained.model.heads["answer"](pooled).softmax(-1)
    said = trained.predict(ROWS, root=run / "vqa")
    best = [trained.answers[place] for place in scores.argmax(-1).tolist()]
    assert best == [one.prediction for one in said]
    assert scores.amax(-1).tolist() == pytest.approx([one.probability for one in said], abs=1e-5)
    pretrained = load_run(run / "run", "base")
    features = pretrained.model(**pretrained.inputs(ROWS, root=run / "vqa")).pooled
    assert torch.isfinite(features).all()
    with pytest.raises(DataError, match="row 0: it has no `image`"):
        trained.inputs([{"text": "a"}])


def test_what_is_no_run(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        load_run(tmp_path / "none")
    with pytest.raises(UsageError, match="is no run that can be read"):
        load_run(tmp_path)
    with pytest.raises(UsageError, match="no job `vqaa`; jobs are `base`, `vqa`"):
        load_run(run / "run", "vqaa")
    with pytest.raises(UsageError, match="`base` is a pretraining"):
        load_run(run / "run", "base").predict(ROWS)
    with pytest.raises(UsageError, match="takes a list of rows"):
        load_run(run / "run", "vqa").predict({"text": "a", "image": "a.png"})  # type: ignore[arg-type]
    unfinished = tmp_path / "begun"
    unfinished.mkdir()
    shutil.copy(run / "run/spec.json", unfinished)
    with pytest.raises(JobError, match="has learned anything"):
        load_run(unfinished)
