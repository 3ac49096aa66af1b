"""What progress keeps where a terminal is narrow."""

import io
import re
from types import SimpleNamespace

import pytest

from renaissance import progress
from renaissance.progress import Bars, Lines, told
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


def test_lines_say_how_long_the_rest_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    now, stream = [1000.0], io.StringIO()
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now[0]))
    lines = Lines(stream)
    lines.begin("base", "train", 1_400)
    lines.event(Start(job="base", spec_hash="", step=200))
    for step in (300, 310, 1_400):  # 100 steps in 40 s; the second comes too soon
        now[0] += 40.0 if step != 310 else 1.0
        lines.event(Step(step=step, loss=1.0))
    said = stream.getvalue().splitlines()
    assert said[0] == "base: step 300 of 1,400, loss 1.000; 7 min left"
    assert said[1] == "base: step 1,400 of 1,400, loss 1.000" and len(said) == 2
