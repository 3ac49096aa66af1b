"""Files and folders that a job names, by whatever key, are looked for before it starts."""

import json
from pathlib import Path

import pytest

from renaissance.compiler.bundle import compile
from renaissance.grammar.composition.resolution import resolve
from renaissance.grammar.schema.jobs import Evaluate
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.source import Source
from renaissance.runtime.asked import check_places, check_run
from renaissance.runtime.data.errors import DataError

MODEL = """model m {
  backbone text = plain_text { layers = 1, width = 16, heads = 1, max_tokens = 4 }
  backbone vision = plain_vision { layers = 1, width = 16, heads = 1, image_size = 32 }
  fusion cross = cross_attention(text, vision) { layers = 1, width = 16, heads = 1 }
}
"""
JOB = "optimizer adamw { lr = 1e-3 }\n  batch = 2\n  steps = 2\n"


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spec:
    monkeypatch.chdir(tmp_path)
    for name in ("one.csv", "two.csv", "train.csv", "test.csv"):
        Path(name).write_text("image,caption\n", encoding="utf-8")
    text = f"""{MODEL}
data pairs {{ format = image_caption, table = ["one.csv", "two.csv"] }}
pretrain base on m {{ data = [pairs]
  objective itm
  {JOB}}}
finetune own from base {{
  task = classify {{ train = "train.csv", validation = 10%, test = "test.csv", classes = 2 }}
  {JOB}}}
"""
    resolution = resolve(Source(name="own.vl", text=text))
    assert resolution.spec is not None, resolution.diagnostics
    return resolution.spec


@pytest.mark.parametrize(
    ("missing", "told"),
    [("two.csv", "the `table` of data `pairs`"), ("train.csv", "the `train` of job `own`")],
)
def test_what_is_missing_is_named(spec: Spec, missing: str, told: str) -> None:
    check_places(spec, ("base", "own"))
    Path("test.csv").unlink()  # nothing is measured on it
    check_run(spec, Path("run"), None, None)
    Path(missing).unlink()
    with pytest.raises(DataError, match=f"`{missing}`, {told}, does not exist"):
        check_places(spec, ("base", "own"))
    with pytest.raises(DataError, match=f"`{missing}`, {told}, does not exist"):
        check_run(spec, Path("run"), None, None)
    Path("run").mkdir()
    check_run(spec, Path("run"), None, None)  # what is finished there needs no data
    Path(missing).touch()
    measured = Evaluate(name="measured", of="own", split="test")
    more = spec.model_copy(update={"jobs": {**spec.jobs, "measured": measured}})
    with pytest.raises(DataError, match=r"`test.csv`, the `test` of job `own`, does not exist"):
        check_places(more, ("measured",))


def test_a_job_folder_says_where_they_lie(spec: Spec, tmp_path: Path) -> None:
    compile(spec, tmp_path / "job")
    lock = json.loads((tmp_path / "job/lock.json").read_text(encoding="utf-8"))
    assert lock["data"] == {
        "pairs": {"table[0]": str(tmp_path / "one.csv"), "table[1]": str(tmp_path / "two.csv")},
        "task of own": {
            "train": str(tmp_path / "train.csv"),
            "test": str(tmp_path / "test.csv"),
        },
    }
