"""Figures of plans and comparisons where there is little room."""

from rich.console import Console
from rich.table import Table

from renaissance.render.comparison import render_figures
from renaissance.render.folded import Folded


def _printed(width: int) -> list[str]:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number in range(9):
        table.add_column(f"column{number}", justify="right" if number else "left", no_wrap=True)
    for row in range(3):
        table.add_row(*(f"{row}{number}00.5 GB" for number in range(9)))
    console = Console(width=width, no_color=True, highlight=False)
    with console.capture() as captured:
        console.print(Folded(table), crop=False)
    return captured.get().splitlines()


def test_a_table_without_room_goes_on_below_and_says_the_same() -> None:
    wide, narrow = _printed(200), _printed(60)
    assert len(wide) == 4 and max(map(len, wide)) > 60
    assert max(map(len, narrow)) <= 60
    assert set(" ".join(wide).split()) == set(" ".join(narrow).split())
    heads = [line for line in narrow if line.startswith("column0")]
    assert len(heads) > 1


def test_figures_before_and_after_have_the_units_of_plans() -> None:
    rows = [("peak memory, bytes", 20_000_000_000, 15_000_000_000), ("trainable", None, 5)]
    rows += [("forward FLOPs a sample", 2_000_000, 2_500_000), ("parameters", 7, 7)]
    head, *lines = [line.split() for line in render_figures(rows).splitlines()]
    assert head == ["old", "new", "Δ"]
    assert lines == [
        ["peak", "memory", "20.0", "GB", "15.0", "GB", "-5.00", "GB", "-25.0%"],
        ["trainable", "-", "5"],
        ["forward", "a", "sample", "2.00", "MFLOP", "2.50", "MFLOP", "+500", "kFLOP", "+25.0%"],
        ["parameters", "7", "7", "0"],
    ]
