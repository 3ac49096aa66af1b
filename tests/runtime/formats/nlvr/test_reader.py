"""True sentences of Cornell NLVR v1."""

from pathlib import Path

from renaissance.runtime.data.table import Source
from renaissance.runtime.formats.nlvr.reader import read
from renaissance.runtime.formats.nlvr.schema import NlvrPairs

SOURCE = Source(name="nlvr", max_unreadable=0.01)


def test_captions_are_true_sentences(nlvr_folder: Path) -> None:
    table = read(NlvrPairs(root=str(nlvr_folder)), SOURCE)
    assert len(table) == 36
    assert table.texts[0].as_py() == "There is a tower with 0 blocks."
    assert table.path(0).endswith("train-0-1-0.png")
