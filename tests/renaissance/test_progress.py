"""What progress keeps where a terminal is narrow."""

import io
import re

import pytest

from renaissance.progress import Bars, told
from renaissance.runtime.records import Start, Step, Validate

LOSSES = {"mlm": 2.5, "itm": 0.693}
STEP = Step(step=11_500, loss=3.2, losses=LOSSES, metrics={"itm_accuracy": 0.5})


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("name", ["base", "pretraining", "pretraining_of_two_small_towers"])
@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_bars_keep_count_and_time_left(
    width: int, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    with Bars(terminal) as bars:
        bars.event(Start(job=name, spec_hash=""))
        bars.begin(name, "train", 14_000)
        bars.advance("train", 11_500)
        bars.event(STEP)
    printed = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    lines = [line.rstrip() for line in re.split(r"[\r\n]+", printed) if line.strip()]
    assert max(map(len, lines)) <= width
    shown = rf"{name[:8]}\S* +[━╸╺]+ +11500/14000 +(--:--|\d+:\d\d)"
    assert re.match(shown, lines[-1]), lines[-1]


def test_shares_alone_are_told_in_percent() -> None:
    metrics = {"accuracy": 0.25, "negative_squared_error": -3.344}
    [line] = told(Validate(step=2, losses={"answer": 3.344}, metrics=metrics))
    assert line.endswith("answer loss 3.344, accuracy 25.0%, negative squared error -3.344")
