"""What a pretraining says to some of its items, which its result keeps for people."""

from pathlib import Path

from renaissance.runtime.report import write_report
from renaissance.runtime.results import read_result


def test_a_pretraining_keeps_items_of_each_objective(finished: Path, tmp_path: Path) -> None:
    result = read_result(finished / "base")
    assert result is not None
    pairs = [one for one in result.samples if one.answer in ("its image", "another image")]
    words = [one for one in result.samples if one not in pairs]
    assert words and pairs and len(result.samples) <= 24
    assert all("[MASK]" in one.text and one.answer for one in words)
    assert not any("[MASK]" in one.text for one in pairs)
    assert all(Path(one.image).is_file() for one in result.samples)
    for one in pairs:
        assert one.prediction in ("its image", "another image")
        assert one.probability is not None and 0.5 <= one.probability <= 1
    page = write_report(finished, tmp_path / "page.html").read_text()
    assert "Some items of its objectives" in page and pairs[0].text in page
