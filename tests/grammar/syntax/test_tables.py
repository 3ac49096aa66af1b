"""The tables that ship are those of the grammar."""

from pathlib import Path

from renaissance.grammar.syntax import tables

SHIPPED = Path(tables.__file__).with_name("tables.json")


def test_the_shipped_tables_are_current() -> None:
    current = tables.spell(tables.build())
    message = "run `python -m renaissance.grammar.syntax.tables`"
    assert SHIPPED.read_text(encoding="utf-8") == current, message


def test_every_state_of_a_statement_can_recover() -> None:
    loaded = tables.load()
    starts = [row for row in loaded.actions if row.get("LET", -1) >= 0]
    assert starts
    assert all(row.get("ERROR", -1) >= 0 for row in starts)


def test_block_keywords_are_keywords() -> None:
    loaded = tables.load()
    assert loaded.blocks < set(loaded.keywords.values())
    assert loaded.keywords["scale_lr"] in loaded.blocks
