"""Captions without anything to be seen are left out, and none at all are an error."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data import DataError, job_data
from renaissance.runtime.data.table import complete_rows
from renaissance.runtime.formats.easy_vqa.schema import EasyVqaPairs
from renaissance.runtime.formats.image_caption.schema import ImageCaption

INVISIBLE = ["\u200b", " \u200b\u200d", "\ufeff", "\u00a0\u3000", "\t\n", "\u2060\u00ad", ""]
VISIBLE = ["a", "\u200ba", "👩\u200d🚀", "犬", "…", "\u0301e", "१"]


def test_what_can_be_seen() -> None:
    texts = pa.array([*INVISIBLE, None, *VISIBLE])
    kept = complete_rows(texts, pa.array(["a.png"] * len(texts)))
    assert kept.tolist() == list(range(len(INVISIBLE) + 1, len(texts)))


def test_none_at_all(tiny_spec: Callable[..., Spec], vqa_root: Path, tmp_path: Path) -> None:
    lines = [f"train/images/{number}.png,\u200b\u200b" for number in range(16)]
    (tmp_path / "pairs.csv").write_text("\n".join(["image,caption", *lines]))
    block = ImageCaption(table=str(tmp_path / "pairs.csv"), root=str(vqa_root))
    spec = tiny_spec().model_copy(update={"data": {"pairs": block}})
    with pytest.raises(DataError, match="`pairs` holds no text with an image"):
        job_data(spec, "base")


def test_other_data_without_a_word(
    tiny_spec: Callable[..., Spec], vqa_root: Path, tmp_path: Path
) -> None:
    import json
    import shutil

    shutil.copytree(vqa_root, tmp_path / "data")
    file = tmp_path / "data/train/questions.json"
    rows = json.loads(file.read_text())
    file.write_text(json.dumps([["\u200b", "\u200b", number] for _, _, number in rows]))
    spec = tiny_spec().model_copy(
        update={"data": {"pairs": EasyVqaPairs(root=str(tmp_path / "data"))}}
    )
    with pytest.raises(DataError, match="no character that can be seen"):
        job_data(spec, "base")
