"""Two texts as one."""

import pytest
from tokenizers import processors

from renaissance.runtime.data.text_pairs import joining_pairs
from renaissance.runtime.data.tokenizer import Tokenizer

TEXTS = ["the cat sat", "on the mat", "a dog"]


@pytest.fixture
def tokenizer() -> Tokenizer:
    return Tokenizer.learned(TEXTS * 3, 60)


def shown(tokenizer: Tokenizer, first: str, second: str, most: int = 40) -> str:
    ids = tokenizer.encode([first], most, [second]).ids
    return " ".join(map(tokenizer.token, ids.tolist()))


def test_the_second_text_is_closed_as_the_first(tokenizer: Tokenizer) -> None:
    assert shown(tokenizer, "the cat", "a dog") == "[CLS] the cat [SEP] a dog [SEP]"
    # One text alone stays as it was, before and after.
    before = tokenizer.encode(TEXTS, 12).ids.tolist()
    shown(tokenizer, "the cat", "a dog")
    assert tokenizer.encode(TEXTS, 12).ids.tolist() == before


def test_the_longer_text_is_cut_first(tokenizer: Tokenizer) -> None:
    assert shown(tokenizer, "the cat sat on the mat", "a dog", 8) == (
        "[CLS] the cat sat [SEP] a dog [SEP]"
    )


def test_a_tokenizer_that_joins_two_is_taken_at_its_word(tokenizer: Tokenizer) -> None:
    backend = tokenizer._backend
    marks = [("[CLS]", 2), ("[SEP]", 3)]
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] [SEP] $B [SEP]", special_tokens=marks
    )
    assert joining_pairs(backend).encode("a", "dog").tokens == (
        ["[CLS]", "a", "[SEP]", "[SEP]", "dog", "[SEP]"]
    )


def test_words_are_counted_on(tokenizer: Tokenizer) -> None:
    tokens = tokenizer.encode(["the cat", "a"], 40, ["a dog", "mat"])
    assert tokens.lengths.tolist() == [7, 5]
    assert tokens.words.tolist() == [-1, 0, 1, -1, 2, 3, -1, -1, 0, -1, 1, -1]
