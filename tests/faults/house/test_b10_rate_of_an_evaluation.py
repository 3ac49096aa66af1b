"""Texts a second of an evaluation are those of measuring, not of what comes before."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.evaluation import evaluate
from tests.runs import train


def test_preparing_is_no_part_of_the_rate(
    tiny_spec: Callable[..., Spec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tiny_spec(vqa={"steps": 1, "source": None})
    train(spec, tmp_path, "vqa")
    set_up = evaluate.set_up

    def slow(*args: Any, **options: Any) -> Any:
        time.sleep(3)
        return set_up(*args, **options)

    monkeypatch.setattr(evaluate, "set_up", slow)
    (result,) = train(spec, tmp_path, "exam").results
    assert result.seconds is not None and result.seconds > 3
    assert result.texts_per_second is not None
    assert result.texts_per_second > 2 * 32 / result.seconds
