"""A tokenizer with more tokens than the embedding has rows is refused with both numbers."""

from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import BertTokenizerFast

from renaissance.grammar import load
from renaissance.grammar.diagnostics import SpecError
from renaissance.runtime import run_jobs
from renaissance.runtime.data import DataError
from renaissance.runtime.data.tokenizer import Tokenizer

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz0123456789"]


@pytest.mark.parametrize("rows", [41, 40])
@pytest.mark.parametrize("source", ["huggingface", "random"])
def test_both_numbers_are_named(
    rows: int,
    source: str,
    saved: Callable[..., str],
    experiment: Callable[..., str],
    tmp_path: Path,
) -> None:
    folder = Path(saved("bert", vocab_size=rows))
    (folder / "vocab.txt").write_text("\n".join(PIECES[:-1]))
    tokenizer = BertTokenizerFast(str(folder / "vocab.txt"))
    tokenizer.add_tokens(["number"])
    tokenizer.save_pretrained(folder)
    (tmp_path / "two.vl").write_text(experiment(text=f'{source}("{folder}") {{ max_tokens = 16 }}'))
    if rows == 41:
        run_jobs(load(tmp_path / "two.vl"), tmp_path / "run", only=("base",), device="cpu")
        return
    with pytest.raises(SpecError, match="has 41 tokens, and the word embedding 40 rows"):
        load(tmp_path / "two.vl")
    with pytest.raises(DataError, match=r"has 41 tokens, the word embedding of .* 40 rows"):
        Tokenizer.pretrained(str(folder)).check_fits(40, "`text`")
