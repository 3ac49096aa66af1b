"""Which job starts from which."""

from renaissance.grammar.chain import chain_of, source_of, sources_first, with_dependents
from renaissance.grammar.schema.jobs import Evaluate, Job
from tests.tiny import tiny_experiment

JOBS = tiny_experiment("data").jobs


def test_sources() -> None:
    assert [source_of(JOBS, name) for name in ("base", "vqa", "exam")] == [None, "base", "vqa"]
    assert chain_of(JOBS, "exam") == ("exam", "vqa", "base")
    assert sources_first(JOBS, ["exam", "base"]) == ("base", "exam")
    assert with_dependents(JOBS, ["vqa"]) == ("vqa", "exam")


def test_chains_of_a_file_with_mistakes_end() -> None:
    broken: dict[str, Job | None] = {**JOBS, "base": None, "lost": Evaluate(name="lost", of="no")}
    assert chain_of(broken, "exam") == ("exam", "vqa")
    assert chain_of(broken, "lost") == ("lost",)
    circle = {"a": Evaluate(name="a", of="b"), "b": Evaluate(name="b", of="a")}
    assert chain_of(circle, "a") == ("a", "b")
