"""A finished folder is taken only for the spec whose hash its results carry."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.errors import UsageError
from tests.runs import train


@pytest.mark.parametrize("damage", [None, b"no JSON"])
def test_another_spec_is_refused_without_spec_json(
    tiny_spec: Callable[..., Spec], finished_run: Path, damage: bytes | None
) -> None:
    (finished_run / "spec.json").unlink()
    if damage is not None:
        (finished_run / "spec.json").write_bytes(damage)
    other = tiny_spec(base={"seed": 1})
    with pytest.raises(UsageError, match=r"not known to be of this spec.*spec.json") as caught:
        train(other, finished_run)
    assert "-o" in str(caught.value) and "--fresh" in str(caught.value)
    assert (finished_run / "base/result.json").exists()


def test_a_result_that_was_copied_from_another_run(
    tiny_spec: Callable[..., Spec], finished_run: Path, tmp_path: Path
) -> None:
    other = tiny_spec(base={"seed": 1})
    train(other, tmp_path / "other", "base")
    (finished_run / "base/result.json").write_bytes(
        (tmp_path / "other/base/result.json").read_bytes()
    )
    with pytest.raises(UsageError, match="is the result of another spec"):
        train(tiny_spec(), finished_run)


def test_results_that_an_earlier_version_wrote(
    tiny_spec: Callable[..., Spec], finished_run: Path
) -> None:
    for path in finished_run.glob("*/result.json"):
        fields = json.loads(path.read_text())
        for key in ("format", "spec_hash", "sha256"):
            del fields[key]
        path.write_text(json.dumps(fields))
    assert train(tiny_spec(), finished_run).skipped == ("base", "vqa", "exam")
    (finished_run / "spec.json").unlink()
    with pytest.raises(UsageError, match="not known to be of this spec"):
        train(tiny_spec(), finished_run)
