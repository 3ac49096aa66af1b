"""What `explain` says of statements, kinds and keys."""

import re
from pathlib import Path

import pytest

from renaissance.grammar.catalogue.lookup import ENTRIES
from renaissance.grammar.catalogue.timm_models import timm_names
from renaissance.grammar.check import check
from renaissance.grammar.declaration import Block
from renaissance.grammar.explaining import (
    BLOCKS,
    FAMILY_OF,
    PART_OF,
    POSITIONS,
    STATEMENTS,
    close_to,
    example_task,
    pages_of,
    statements,
)
from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.kinds.registry import FAMILIES, schema, words
from renaissance.grammar.schema.vocabulary import keys_of, spelling_of
from renaissance.grammar.source import read_source


def example_of(statement: str) -> tuple[str, dict[str, str]]:
    """Return the example of a page, and the files that it imports by their names."""
    text = (STATEMENTS / f"{statement}.md").read_text(encoding="utf-8")
    fences = re.findall(r"^```vl(?: file=(\S+))?\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    files = {name: content for name, content in fences if name}
    [example] = [content for name, content in fences if not name]
    return example, files


@pytest.mark.parametrize("statement", statements())
def test_the_examples_are_right(
    statement: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text, files = example_of(statement)
    for name, content in files.items():
        Path(name).write_text(content, encoding="utf-8")
    Path("example.vl").write_text(text, encoding="utf-8")
    assert check(read_source("example.vl")) == ()
    assert statement in text or statement == "encoder"


@pytest.mark.parametrize("statement", statements())
def test_pages_have_no_long_lines(statement: str) -> None:
    text = (STATEMENTS / f"{statement}.md").read_text(encoding="utf-8")
    assert max(map(len, text.splitlines())) <= 110


def test_every_statement_has_a_page() -> None:
    assert {*BLOCKS, *FAMILY_OF, *POSITIONS, "scale_lr", "decay_lr"} <= set(statements())
    syntax = (STATEMENTS.parent / "syntax" / "vl.lark").read_text(encoding="utf-8")
    keywords = set(re.findall(r'^[A-Z_]+: "([a-z_]+)"', syntax, re.MULTILINE))
    assert len(keywords) > 15
    assert keywords - set(PART_OF) - {"true", "false"} <= set(statements())


@pytest.mark.parametrize(("word", "statement"), PART_OF.items())
def test_words_inside_a_statement_have_its_page(word: str, statement: str) -> None:
    page, *_ = pages_of(word)
    assert page in pages_of(statement) and word in page.lower()


def test_keys_of_a_study_and_of_words_with_braces() -> None:
    [page] = pages_of("study.seeds")
    assert page.startswith("# `seeds` of `study`\n")
    assert "| `shorter` | count of pixels |" in pages_of("fit")[0]


@pytest.mark.parametrize("statement", BLOCKS)
def test_a_page_has_all_keys(statement: str) -> None:
    [page] = pages_of(statement)
    assert f"## Keys of `{statement}`" in page
    for name in _keys(BLOCKS[statement]):
        assert f"| `{name.removesuffix('s')}" in page


@pytest.mark.parametrize("statement", FAMILY_OF)
def test_a_page_has_all_words(statement: str) -> None:
    page = pages_of(statement)[0]
    for word in words(FAMILY_OF[statement]):
        assert f"| `{word}` | " in page


def test_every_word_has_a_page_with_its_keys() -> None:
    for family in FAMILIES:
        for word in words(family):
            text = "\n".join(pages_of(word))
            kind = schema(family, word)
            assert kind is not None and all(f"| `{name}" in text for name in _keys(kind))


@pytest.mark.parametrize("word", words("task"))
def test_a_task_has_its_splits_metrics_and_file(word: str) -> None:
    kind = schema("task", word)
    assert kind is not None and issubclass(kind, TaskBlock)
    text = pages_of(word)[0]
    assert "| `train` | learned from |" in text and "\nAn `evaluate` measures `" in text
    assert kind.result_file.form in text and kind.result_file.ids in text
    assert kind.result_file.line is None or kind.result_file.line in text


def test_hidden_splits_are_told_from_others() -> None:
    text = pages_of("vqav2")[0]
    assert "| `test_dev` | predicted; what is right is not published |" in text
    assert (
        "| `val` | measured |" in text and '[{"question_id": 262148000, "answer": "down"}]' in text
    )


def test_one_key() -> None:
    [page] = pages_of("pretrain.batch")
    assert page.startswith("# `batch` of `pretrain`\n") and "| `batch` | count of texts |" in page
    assert page.count("| `") == 1
    assert pages_of("glue.task")[0].startswith("# `task` of `glue`\n")
    assert "`adamw`, `adam`, `sgd`" in pages_of("optimizer.lr")[0]
    # Jobs mean two things by it, and each is there once.
    assert [page.partition("\n")[0] for page in pages_of("batch")] == [
        "# `batch` of `pretrain`, `finetune`",
        "# `batch` of `evaluate`",
    ]


@pytest.mark.parametrize(
    ("word", "meant"),
    [("lora", "adapt"), ("learning_rate", "lr"), ("infonce", "itc"), ("vqa2", "vqav2")],
)
def test_words_of_others_have_the_page_of_what_they_are_called_here(word: str, meant: str) -> None:
    said, *pages = pages_of(word)
    assert said == f"`{word}` is called `{meant}` here.\n" and tuple(pages) == pages_of(meant)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("finetuen", "finetune"),
        ("pretrain.bach", "pretrain.batch"),
        ("adamv", "adamw"),
        ("vqa2x", "vqav2"),
        ("scalelr", "scale_lr"),
        ("pretrain.lr", "lr"),
    ],
)
def test_what_may_have_been_meant(name: str, meant: str) -> None:
    assert pages_of(name) == ()
    assert meant in close_to(name)


def _keys(block: type[Block]) -> list[str]:
    return [spelling_of(name, info) for name, info in keys_of(block).items()]


def test_the_catalogue_and_each_of_its_encoders_have_a_page() -> None:
    [page] = pages_of("catalogue")
    for entry in ENTRIES:
        for id in entry.ids:
            assert f"`{id}`" in page
            [own] = pages_of(id)
            assert entry.source in own
            assert entry.refused in own
    assert f"{len(timm_names())} models" in page


def test_models_of_timm_have_a_page() -> None:
    [page] = pages_of("convnext_tiny.in12k_ft_in1k_384")
    assert "Images of 384 × 384 pixels" in page
    assert "49 tokens of 224 pixels" in page
    [refused] = pages_of("crossvit_9_240")
    assert "It can be no tower" in refused
    assert pages_of("convnext_tinny") == ()


@pytest.mark.parametrize(
    "word",
    [
        *("cell", "stage", "variant", "level", "factor", "baseline", "paired", "Holm", "interval"),
        *("seed", "budget", "contract", "split", "not distinguishable", "power", "points"),
        *("recall@5", "text_r@1", "image_r@10", "accuracy@5", "f1.micro", "accuracy_number"),
        *("numerics", "cosmetic", "checkpoint", "hash", "lowering", "epoch", "rmse", "loss"),
        *("finetune", "freeze", "extends", "from", "of", "only", "until", "study", "import"),
    ],
)
def test_a_word_of_reports_has_a_page(word: str) -> None:
    assert pages_of(word)


def test_every_metric_has_a_page() -> None:
    for word in words("task"):
        kind = schema("task", word)
        assert kind is not None and issubclass(kind, TaskBlock)
        task = example_task(kind)
        metrics = (task.metric, *task.metrics)
        assert [name for name in metrics if not pages_of(name)] == []


def test_a_word_that_is_also_a_key_has_both_pages() -> None:
    statement, key = pages_of("of")
    assert statement.startswith("# `evaluate NAME of JOB") and key.startswith("# `of` of `study`")
    assert len(pages_of("baseline")) == 2
    assert close_to("hlom") == ("holm",)
