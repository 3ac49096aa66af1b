"""Images and texts that are scored each with each, as they lie there."""

from pathlib import Path

from renaissance.compiler import plan
from renaissance.grammar import load
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data.counted import every_counted
from renaissance.runtime.studies.data import Data
from renaissance.runtime.studies.operations import Planned
from tests.published_pairs import write_karpathy_flickr

SPEC = """
model tiny {
  backbone text   = plain_text { layers = 1, width = 8, heads = 1, max_tokens = 16 }
  backbone vision = plain_vision { layers = 1, width = 8, heads = 1, image_size = 8, patch = 4 }
  fusion both = dual_encoder(text, vision)
}
data pairs { format = karpathy, set = flickr30k, root = "ROOT", split = train }
pretrain base on tiny {
  data = [pairs]
  objective itc
  optimizer adamw { lr = 1e-3 }
  batch = 4
  steps = 1
}
evaluate found of base { task = retrieval { root = "ROOT", set = flickr30k }, split = test }
"""


def write(folder: Path, root: Path) -> Spec:
    path = folder / "a.vl"
    path.write_text(SPEC.replace("ROOT", str(root)))
    return load(str(path))


def test_what_lies_there_is_planned_and_else_what_was_published(tmp_path: Path) -> None:
    there = {"1": "train", "2": "train", "3": "test", "4": "test", "5": "test"}
    spec = write(tmp_path, write_karpathy_flickr(tmp_path / "flickr", there))
    assert every_counted(spec) == {"found": (3, 3)}
    [_, job] = plan(spec, counted=every_counted(spec)).jobs
    assert job.search is not None
    assert (job.search.images, job.search.texts) == (3, 3)
    of_study = Planned(data=Data()).paces(spec, "found").plan.search
    assert of_study == job.search
    gone = write(tmp_path, tmp_path / "gone")
    assert every_counted(gone) == {}
    published = Planned(data=Data()).paces(gone, "found").plan.search
    assert published is not None and (published.images, published.texts) == (1_000, 5_000)
