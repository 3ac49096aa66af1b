"""`train`, `eval` and `run` as a person uses them."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from renaissance.cli import main
from renaissance.execution import folder_of, meant

SPEC = """
model tiny {
  backbone text   = plain_text { layers = 1, width = 16, heads = 2, vocabulary = 64 }
  backbone vision = plain_vision { layers = 1, width = 16, heads = 2, image_size = 16, patch = 8 }
  fusion cross    = cross_attention(text, vision) { layers = 1, width = 16, heads = 2 }
}
data pairs { format = easy_vqa, root = "ROOT" }
pretrain base on tiny {
  data = [pairs]
  objective mlm
  objective itm
  optimizer adamw { lr = 1e-3 }
  batch = 8, steps = 3, validation = 20%
}
finetune vqa from base {
  task = easy_vqa { root = "ROOT", validation = 20% }
  optimizer adamw { lr = 1e-3 }
  batch = 8, steps = 3
}
evaluate exam of vqa
"""


@pytest.fixture
def spec_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    draw = np.random.default_rng(0)
    for split in ("train", "test"):
        (tmp_path / "vqa" / split / "images").mkdir(parents=True)
        questions = []
        for number in range(6):
            pixels = draw.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"vqa/{split}/images/{number}.png")
            questions += [[f"is it {word}?", answer, number] for word, answer in WORDS]
        (tmp_path / f"vqa/{split}/questions.json").write_text(json.dumps(questions))
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "tiny.vl"
    path.write_text(SPEC.replace("ROOT", str(tmp_path / "vqa")))
    return path


WORDS = (("red", "yes"), ("blue", "no"), ("round", "circle"))


def test_a_run_from_file_to_table(spec_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "tiny.vl", "--device", "cpu"]) == 0
    out, err = capsys.readouterr()
    assert "exam" in out and "accuracy" in out and "runs/tiny/report.html" in out
    assert "base: step 3 of 3, loss" in err and "vqa: the heads" in err
    assert (spec_file.parent / "runs/tiny/report.html").is_file()

    assert main(["eval", "tiny.vl:vqa", "--device", "cpu", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] and [r["job"] for r in document["results"]] == ["exam"]
    assert document["skipped"] == []

    assert main(["train", "tiny.vl:vqa", "--device", "cpu", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["skipped"] == ["vqa"]

    spec_file.write_text(spec_file.read_text().replace("steps = 3\n", "steps = 4\n"))
    assert main(["train", "tiny.vl"]) == 2
    assert "`jobs.vqa.steps` was 3, is 4" in capsys.readouterr().err


def test_a_job_folder(spec_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", "tiny.vl", "-o", "job"]) == 0
    lock = spec_file.parent / "job/lock.json"
    locked = json.loads(lock.read_text())
    locked["packages"]["torch"] = "0.0.1"
    lock.write_text(json.dumps(locked))
    capsys.readouterr()
    assert main(["run", "job"]) == 0
    out, err = capsys.readouterr()
    assert "compiled with torch 0.0.1, running with" in err and "exam" in out
    assert (spec_file.parent / "job/exam/result.json").is_file()
    locked["spec_hash"] = "0"
    lock.write_text(json.dumps(locked))
    assert main(["run", "job"]) == 2
    assert "is not the one that was compiled" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "command", "code", "said"),
    [
        (("vqa/train", "vqa/train"), ["train", "tiny.vl:nothing"], 2, "no job `nothing`"),
        (("", ""), ["train", "tiny.vl:vqa"], 2, "job `base`, which has not finished"),
        (("", ""), ["train", "tiny.vl", "--device", "abacus"], 2, "`abacus` is no device"),
        (("", ""), ["eval", "tiny.vl:base"], 2, "no evaluation of job `base`"),
        (("", ""), ["run", "nowhere"], 2, "`nowhere` is no job folder"),
        (('/vqa"', '/gone"'), ["train", "tiny.vl"], 3, "gone` does not exist"),
        (("steps = 3, validation", "batch = , validation"), ["train", "tiny.vl"], 1, "error"),
    ],
)
def test_mistakes_end_in_a_sentence(
    spec_file: Path,
    capsys: pytest.CaptureFixture[str],
    change: tuple[str, str],
    command: list[str],
    code: int,
    said: str,
) -> None:
    spec_file.write_text(spec_file.read_text().replace(*change))
    assert main(command) == code
    err = capsys.readouterr().err
    assert said in err and "Traceback" not in err and "VL901" not in err


def test_file_and_job_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.vl").touch()
    Path("b:c").touch()
    assert meant("a.vl:base") == ("a.vl", "base")
    assert meant("b:c") == ("b:c", None)
    assert meant("a.vl") == ("a.vl", None)
    assert folder_of("specs/a.vl", None) == Path("runs/a")
    assert folder_of("a.vl", "out") == Path("out")


def test_kernels_that_this_machine_lacks(
    spec_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = SPEC.replace("model tiny {", "model tiny {\n  attention = triton")
    spec_file.write_text(asked.replace("ROOT", "no/such/folder"))
    assert main(["train", "tiny.vl", "--device", "cpu"]) == 3
    assert (
        "`attention = triton`: fused attention runs on a GPU, not on `cpu`; `attention = auto` "
        "takes what there is" in capsys.readouterr().err
    )
    assert not (spec_file.parent / "runs/tiny/base").exists()
